"""Text that people typed: addresses, folding for search, sanitized lines, time zones."""
