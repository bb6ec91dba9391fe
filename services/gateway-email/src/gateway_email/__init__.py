"""Speaks SMTP: one attempt in, one outcome out."""
