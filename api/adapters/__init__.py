"""The adapters of the ports: PostgreSQL, the ledger by Kafka, Elasticsearch, SMTP."""
