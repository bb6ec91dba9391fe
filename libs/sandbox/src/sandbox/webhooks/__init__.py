"""What providers tell by themselves: states of messages, incoming messages, devices coming and going."""
