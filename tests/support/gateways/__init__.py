"""A gateway of either provider, in this process or as one of its own, and deliveries for it to attempt."""
