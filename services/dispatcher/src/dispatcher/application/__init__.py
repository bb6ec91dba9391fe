"""One module per thing the dispatcher does."""
