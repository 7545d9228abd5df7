"""The metrics: their definitions, one module per part, and the plain numbers that parts count with."""
