"""What happens to accounts: an address is confirmed, a password chosen anew, a change told to the owner."""
