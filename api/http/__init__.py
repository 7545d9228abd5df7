"""The HTTP server: uvicorn with limits on time and size, and the threads that run Flask."""
