"""The records on the topics: their shapes, and how each is read from bytes that anyone may have written."""
