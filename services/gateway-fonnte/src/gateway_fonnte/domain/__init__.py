"""Fonnte's dialect."""
