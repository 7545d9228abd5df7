"""The ports as they are outside of tests: PostgreSQL, Kafka, Elasticsearch, SMTP and the worker's views."""
