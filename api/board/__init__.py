"""What the board of the pipeline shows: pure functions of outcomes and states, in bounded memory."""
