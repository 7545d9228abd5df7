"""What the board and the operators' tools query: lag, slots, heartbeats, dead letters."""
