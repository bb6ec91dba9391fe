"""Wablas, as wablas.com/documentation describes it and as it was seen on the wire."""
