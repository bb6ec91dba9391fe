"""Wablas' dialect."""
