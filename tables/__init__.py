"""The state of the ticket office and its rules, pure: no I/O, no clock, no framework."""
