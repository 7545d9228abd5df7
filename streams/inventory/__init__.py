"""The ledger's agents: event definitions in, commands decided, holds expired, and the web views of the stock."""
