"""Authentication: tokens, passwords, and the limits on guessing them."""
