"""MongoDB behind the ports."""
