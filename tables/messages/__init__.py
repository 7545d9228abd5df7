"""The records on the topics: their schemas, and decoders that trust no producer."""
