"""The REST API: writes to PostgreSQL or to the command log, searches in Elasticsearch, answers with decisions."""
