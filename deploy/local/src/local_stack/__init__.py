"""RabbitMQ, MongoDB and every service on one machine, without Docker."""
