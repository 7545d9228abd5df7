"""The ledger's agents: definitions in, commands decided, holds ended, and the views of the stock."""
