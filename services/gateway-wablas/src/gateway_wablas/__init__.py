"""Speaks to Wablas: one attempt in, one outcome out."""
