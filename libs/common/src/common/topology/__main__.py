"""Prints the topology as RabbitMQ imports it: `python -m common.topology > deploy/rabbitmq/definitions.json`."""

import sys

from common.topology.declarations import rendered

sys.stdout.write(rendered())
