"""Schedules, firings and what a run comes to: plain Python."""
