"""The ports whose data is in PostgreSQL."""
