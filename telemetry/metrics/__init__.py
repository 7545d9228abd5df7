"""What is measured, by name: the definitions that every part exports by, and plain numbers to count with."""
