"""Seats: the plan of a hall, which of its seats are out, and which are the best of the others. Pure."""
