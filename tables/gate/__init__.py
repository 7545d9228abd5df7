"""Rules of the gate: what a request becomes, quotas, and the records of its table."""
