"""The gate: checks the requests of other producers, forwards them to the ledger, and answers each once."""
