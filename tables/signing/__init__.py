"""What is signed: links in mails, and tickets that a gate reads."""
