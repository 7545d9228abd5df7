"""The bookings: who has tickets of which event, derived from the outcomes."""
