"""What a chaos run does: people, events, every request and every record with its time, made from a seed alone."""
