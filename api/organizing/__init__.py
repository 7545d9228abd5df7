"""Changes of events by organizers, and the definitions that announce them to the ledger."""
