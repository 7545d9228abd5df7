"""The providers of payments behind one port: Paper, for trying everything without an account anywhere."""
