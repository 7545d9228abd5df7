"""The way from PostgreSQL into Kafka: topics, connectors and their registration."""
