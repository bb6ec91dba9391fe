"""What the API decides, without asking anybody."""
