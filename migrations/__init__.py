"""The write model, step by step: ``python -m migrations`` brings a database up to date."""
