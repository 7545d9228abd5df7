"""What a deployment needs beside the code: secrets, access to Elasticsearch, the servers' configuration files."""
