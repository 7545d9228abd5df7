"""What organizers may change, and how it is announced to the ledger."""
