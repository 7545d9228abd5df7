"""The HTTP server: uvicorn with limits on time and size."""
