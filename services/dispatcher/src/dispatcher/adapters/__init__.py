"""MongoDB and RabbitMQ behind the ports."""
