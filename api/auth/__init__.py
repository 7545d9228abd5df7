"""Who a caller is: tokens, passwords, and the limits on trying them."""
