"""What must be true after a run, promise by promise. Nothing here shares code with what is judged."""
