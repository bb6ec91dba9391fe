"""Fonnte, as docs.fonnte.com describes it and as it was seen on the wire."""
