"""Payments: what is asked of a provider, decided from what the ledger, the buyer and the provider said."""
