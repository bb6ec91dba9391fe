"""Answers as people read them; pure."""
