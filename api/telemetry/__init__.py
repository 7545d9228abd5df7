"""What operators see of the API: its access log, metrics and spans."""
