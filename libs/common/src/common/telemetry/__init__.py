"""Logs, metrics and what is kept out of them."""
