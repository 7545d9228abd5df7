"""Debezium's connectors: their configuration, registration, slots, and the ways past a failure."""
