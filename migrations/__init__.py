"""The schema of the write model as SQL steps: ``python -m migrations`` brings a database up to date."""
