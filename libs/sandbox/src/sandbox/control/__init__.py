"""The control API: telling providers to misbehave and reading what really happened."""
