"""Settings from the environment; bad values are refused at start, every problem named at once."""
