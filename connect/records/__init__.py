"""Record batches as they lie in Kafka's log: read within bounds, and leniently where a client's own reading fails."""
