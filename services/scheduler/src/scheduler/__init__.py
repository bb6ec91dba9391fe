"""Emits due events; sends nothing itself."""
