"""What comes in: envelopes of attempts to make."""
