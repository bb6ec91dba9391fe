"""Exchanges and queues as values: declared once, here; no other file spells a queue's name."""
