"""The HTTP server: uvicorn with limits in time and volume, and the threads in which Flask answers."""
