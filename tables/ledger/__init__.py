"""The ledger: the rules of selling tickets, and the records that it keeps."""
