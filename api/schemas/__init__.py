"""The models of requests and responses, validated field by field."""
