"""Standard library only: clocks, identities, phone numbers, text, failures."""
