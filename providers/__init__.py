"""The providers of payments behind one port: Paper, with which everything can be tried without an account anywhere."""
