"""The embedded stack: real servers as child processes of one supervisor, on loopback, with one data folder."""
