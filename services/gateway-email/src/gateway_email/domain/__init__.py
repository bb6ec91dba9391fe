"""What a mail looks like and what a mail server says."""
