"""The ports as they are outside of tests: PostgreSQL, Kafka, Elasticsearch and the worker's views."""
