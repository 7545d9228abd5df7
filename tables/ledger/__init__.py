"""The ledger: the rules of selling, and the records that it keeps."""
