"""RabbitMQ: one connection that comes back by itself, confirmed publishing, handlers that only return."""
