"""Every exchange, queue and binding of Kabar."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from common.config.whatsapp import PROVIDERS
from common.contracts.event import Event
from common.contracts.events import (
    AttemptsFinished,
    DeliveriesReported,
    DeliveryChanged,
    MessageReceived,
    NotificationAccepted,
    NotificationChanged,
    SenderReported,
    attempts_address,
    enquiries_address,
    webhooks_address,
)
from common.contracts.facts import NotificationRequested, RowFact, SurveyAnswered
from common.contracts.vocabulary import MAIL_PROVIDER


@dataclass(frozen=True)
class Exchange:
    name: str
    kind: str


@dataclass(frozen=True)
class Queue:
    """A work queue: quorum, bounded redelivery, everything refused goes to `kabar.dead` under the queue's own name.

    `on_demand`: its consumer binds those of its routing keys that somebody wants to hear of.
    """

    name: str
    exchange: Exchange
    routing_keys: tuple[str, ...]
    consumer: str
    delivery_limit: int = 20
    dead_letters: bool = True
    on_demand: bool = False
    arguments: dict[str, Any] = field(init=False, hash=False, compare=False)

    def __post_init__(self) -> None:
        arguments: dict[str, Any] = {"x-queue-type": "quorum", "x-delivery-limit": self.delivery_limit}
        if self.dead_letters:
            arguments |= {
                "x-dead-letter-exchange": DEAD.name,
                "x-dead-letter-routing-key": self.name,
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",  # what at-least-once dead-lettering requires
            }
        object.__setattr__(self, "arguments", arguments)


def _keys(event: type[Event]) -> tuple[str, ...]:
    """The routing keys of every event of a family."""
    return tuple(key for key, known in Event.catalogue.items() if issubclass(known, event))


EVENTS = Exchange("kabar.events", "topic")
ATTEMPTS = Exchange("kabar.attempts", "direct")
DEAD = Exchange("kabar.dead", "topic")
EXCHANGES = (EVENTS, ATTEMPTS, DEAD)

NOTIFICATIONS = Queue("dispatcher.notifications", EVENTS, (NotificationAccepted.routing_key,), "dispatcher")
OUTCOMES = Queue("dispatcher.outcomes", ATTEMPTS, (AttemptsFinished.routing_key,), "dispatcher")
REPORTS = Queue(
    "dispatcher.reports", ATTEMPTS, (DeliveriesReported.routing_key, SenderReported.routing_key), "dispatcher"
)
FACTS = Queue("dispatcher.facts", EVENTS, (*_keys(RowFact), SurveyAnswered.routing_key), "dispatcher")
"""What other services tell of their rows."""
MESSAGES = Queue("dispatcher.messages", EVENTS, (MessageReceived.routing_key,), "dispatcher")
"""What people write to us: who wants no more messages does not wait until a hundred thousand rows are told."""
REQUESTS = Queue("api-gateway.requests", EVENTS, (NotificationRequested.routing_key,), "api-gateway")
ANNOUNCEMENTS = Queue(
    "api-gateway.announcements",
    EVENTS,
    (*_keys(DeliveryChanged), *_keys(NotificationChanged), MessageReceived.routing_key),
    "api-gateway",
    on_demand=True,
)
"""What the outgoing webhooks tell portals: nothing is stored in it that no portal asked for."""
PARKED = Queue(
    "dispatcher.parked-envelopes", DEAD, ("#",), "dispatcher", delivery_limit=1_000_000_000, dead_letters=False
)
"""Where every refused envelope ends up and is stored for people. Nothing is behind it, so nothing in it is refused."""
REPLAY_HEADER = "x-kabar-replay"
"""On an envelope that a person handed in again: which time it is."""
TRACE_HEADER = "traceparent"
"""W3C trace context of an envelope that is all about one trace."""
REPLAY_MARK = "~replay-"
"""Before it in the identity of one that was parked once more."""


def attempts_queue(provider: str) -> Queue:
    """The queue of one provider's gateway."""
    return Queue(f"gateway-{provider}.attempts", ATTEMPTS, (attempts_address(provider),), f"gateway-{provider}")


def webhooks_queue(provider: str) -> Queue:
    """The queue of what a provider posts to us."""
    return Queue(f"gateway-{provider}.webhooks", ATTEMPTS, (webhooks_address(provider),), f"gateway-{provider}")


def enquiries_queue(provider: str) -> Queue:
    """The queue of what a provider is to be asked besides sending."""
    return Queue(f"gateway-{provider}.enquiries", ATTEMPTS, (enquiries_address(provider),), f"gateway-{provider}")


GATEWAYS = (*PROVIDERS, MAIL_PROVIDER)
"""Providers that have a gateway service."""
QUEUES = (
    NOTIFICATIONS,
    OUTCOMES,
    REPORTS,
    FACTS,
    MESSAGES,
    REQUESTS,
    ANNOUNCEMENTS,
    PARKED,
    *(attempts_queue(provider) for provider in GATEWAYS),
    *(webhooks_queue(provider) for provider in PROVIDERS),
    *(enquiries_queue(provider) for provider in GATEWAYS),
)

UNHEARD = frozenset(key for q in QUEUES if q.on_demand for key in q.routing_keys) - frozenset(
    key for q in QUEUES if not q.on_demand for key in q.routing_keys
)
"""What may go to no queue at all."""


def definitions(queues: Iterable[Queue] = QUEUES) -> dict[str, Any]:
    """The topology in the format RabbitMQ imports at start (deploy/rabbitmq/definitions.json)."""
    queues = list(queues)
    return {
        "vhosts": [{"name": "/"}],
        "exchanges": [
            {"name": e.name, "vhost": "/", "type": e.kind, "durable": True, "auto_delete": False, "internal": False,
             "arguments": {}}
            for e in EXCHANGES
        ],
        "queues": [
            {"name": q.name, "vhost": "/", "durable": True, "auto_delete": False, "arguments": q.arguments}
            for q in queues
        ],
        "bindings": [
            {"source": q.exchange.name, "vhost": "/", "destination": q.name, "destination_type": "queue",
             "routing_key": key, "arguments": {}}
            for q in queues if not q.on_demand for key in q.routing_keys
        ],
    }  # fmt: skip


def rendered() -> str:
    """The text of deploy/rabbitmq/definitions.json."""
    return json.dumps(definitions(), indent=2) + "\n"
