"""Load, demonstration and measurement: clients of the pipeline, never part of it."""
