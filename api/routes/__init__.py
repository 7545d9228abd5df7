"""One blueprint per resource; each turns a checked request into one call of a port and its answer."""
