"""SMTP itself."""
