"""From a visitor's search to a query for Elasticsearch, and back: pure functions."""
