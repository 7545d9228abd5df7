"""What the running parts tell of themselves: spans of sampled requests."""
