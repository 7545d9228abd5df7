"""Payments: what is asked of the providers, by what the ledger, the buyers and the providers said."""
