"""The contract for Kafka's users: every topic's schemas and examples, and the AsyncAPI document made of them."""
