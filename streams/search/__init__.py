"""The search index: updated from row changes, rebuilt from PostgreSQL, compared with it."""
