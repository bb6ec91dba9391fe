"""Misbehaviour: what can be asked for, whom it hits, and carrying it out."""
