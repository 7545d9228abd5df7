"""Debezium's connectors: configuration, registration, replication slots, and recovery from failures."""
