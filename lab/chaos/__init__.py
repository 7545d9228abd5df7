"""A sale under attack: every part is killed, paused and cut off, and a checker of its own says what came of it."""
