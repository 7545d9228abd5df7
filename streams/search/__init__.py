"""The search index: kept equal to PostgreSQL, built anew, compared."""
