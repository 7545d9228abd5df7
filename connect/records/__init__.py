"""Reading and writing records: within bounds of memory, and past records that the clients' own readers fail at."""
