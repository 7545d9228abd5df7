"""The demonstration: a catalogue, an on-sale, and screenshots of all pages."""
