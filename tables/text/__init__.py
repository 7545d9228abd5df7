"""Text from users: e-mail addresses, folding for search, sanitizing, time zones."""
