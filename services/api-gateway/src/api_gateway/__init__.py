"""The HTTP API of Kabar."""
