"""Mails: who has tickets, what each change means for them, how a mail is composed and sent."""
