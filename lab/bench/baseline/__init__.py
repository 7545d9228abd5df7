"""What one would build without a log: the same sales by plain PostgreSQL behind the same HTTP server."""
