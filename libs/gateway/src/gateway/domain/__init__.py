"""What an answer, a slot and an account are; standard library and contracts only."""
