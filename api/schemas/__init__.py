"""What requests bring and answers carry, checked field by field."""
