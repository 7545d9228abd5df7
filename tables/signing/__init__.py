"""Signatures: links in mails, and tickets that gates verify."""
