"""All that knows Faust and aiokafka; the capabilities build on it."""
