"""What knows Faust and aiokafka from inside; the agents stand on it."""
