"""What the API tells of itself: the access log, metrics, spans."""
