"""The capture of PostgreSQL's changes into Kafka: topics, connectors, reading records, and what observes them."""
