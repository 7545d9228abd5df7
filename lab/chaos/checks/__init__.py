"""What must be true after a run, promise by promise. No check shares code with the project."""
