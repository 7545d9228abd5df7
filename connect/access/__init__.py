"""Access to Kafka: who may do what, and the users and ACLs that a broker gets for it."""
