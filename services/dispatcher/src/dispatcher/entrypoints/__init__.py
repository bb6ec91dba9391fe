"""What calls the dispatcher: queues and time."""
