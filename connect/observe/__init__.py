"""What operators' tools and the board ask of the way from PostgreSQL into Kafka."""
