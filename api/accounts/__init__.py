"""Accounts: confirmation of addresses, passwords, and mails about changes."""
