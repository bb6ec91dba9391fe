"""A mail server and the mailbox behind it."""
