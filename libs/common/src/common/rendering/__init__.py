"""Turns a template and its values into the text of a message; pure, the same wherever it is called."""
