"""Mails: who has tickets, what each outcome means for them, how a mail is composed and sent."""
