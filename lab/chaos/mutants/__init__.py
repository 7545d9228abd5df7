"""Mutants: real processes of the project, each without one safety mechanism. Only negative controls start them."""
