"""One module per thing the API does, and the ports it does them through."""
