"""What every part reports about itself: logs, metrics, traces."""
