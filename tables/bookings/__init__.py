"""Who has tickets of which event, kept from the outcomes."""
