"""The way to the ledger: commands are produced, outcomes consumed, and what is known of both is cached."""
