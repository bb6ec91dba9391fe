"""Speaks to Fonnte: one attempt in, one outcome out."""
