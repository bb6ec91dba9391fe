"""MongoDB and tokens."""
