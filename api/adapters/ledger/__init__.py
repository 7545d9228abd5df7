"""The ledger by Kafka: produces commands, consumes outcomes, and caches what both tell."""
