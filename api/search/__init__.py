"""From what a visitor asks to what Elasticsearch is asked, and back: pure functions."""
