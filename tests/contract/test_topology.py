"""Every event reaches a queue, every queue has one consumer, a limit and a grave, and the file says the same."""

import re
from collections import Counter
from pathlib import Path

import pytest

from common.config.whatsapp import PROVIDERS
from common.contracts import events, facts
from common.contracts.event import Event
from common.contracts.events import (
    AttemptsRequested,
    EnquiriesRequested,
    MessageReceived,
    WebhooksReceived,
    attempts_address,
    enquiries_address,
    webhooks_address,
)
from common.topology.declarations import (
    ANNOUNCEMENTS,
    ATTEMPTS,
    DEAD,
    EVENTS,
    EXCHANGES,
    FACTS,
    GATEWAYS,
    MESSAGES,
    NOTIFICATIONS,
    OUTCOMES,
    PARKED,
    QUEUES,
    REPORTS,
    REQUESTS,
    UNHEARD,
    Queue,
    attempts_queue,
    definitions,
    enquiries_queue,
    rendered,
    webhooks_queue,
)

ROOT = Path(__file__).parents[2]
WORK_QUEUES = [queue for queue in QUEUES if queue is not PARKED]


def addresses(event: type[Event]) -> set[str]:
    """Every routing key an event can be published with."""
    if event is AttemptsRequested:
        return {attempts_address(provider) for provider in GATEWAYS}
    if event is WebhooksReceived:
        return {webhooks_address(provider) for provider in PROVIDERS}
    if event is EnquiriesRequested:
        return {enquiries_address(provider) for provider in GATEWAYS}
    return {event.routing_key}


def matches(binding: str, key: str) -> bool:
    """Whether a topic binding takes a routing key."""
    words = re.escape(binding).replace(r"\*", r"[^.]+").replace(r"\#", r".*")
    return re.fullmatch(words, key) is not None


TAKEN_TWICE = {MessageReceived}
"""What a person writes is a fact to the dispatcher and told to portals."""


def test_every_event_reaches_exactly_one_queue() -> None:
    for event in Event.catalogue.values():
        if event.__module__ not in {events.__name__, facts.__name__}:
            continue
        for key in addresses(event):
            takers = [q.name for q in WORK_QUEUES if any(matches(binding, key) for binding in q.routing_keys)]
            assert len(takers) == 1 + (event in TAKEN_TWICE), (key, takers)


def test_every_binding_carries_an_event() -> None:
    published = {key for event in Event.catalogue.values() for key in addresses(event)}
    for queue in WORK_QUEUES:
        for binding in queue.routing_keys:
            assert any(matches(binding, key) for key in published), binding


@pytest.mark.parametrize("queue", QUEUES, ids=lambda queue: queue.name)
def test_a_queue_is_replicated_bounded_and_named_after_the_service_that_consumes_it(queue: Queue) -> None:
    assert queue.arguments["x-queue-type"] == "quorum"
    assert queue.arguments["x-delivery-limit"] > 0
    assert re.fullmatch(rf"{queue.consumer}\.[a-z-]+s", queue.name)
    assert (ROOT / "services" / queue.consumer / "pyproject.toml").exists()


@pytest.mark.parametrize("queue", WORK_QUEUES, ids=lambda queue: queue.name)
def test_what_a_queue_refuses_goes_to_the_parked_envelopes_and_cannot_be_lost_on_the_way(queue: Queue) -> None:
    assert queue.delivery_limit <= 50
    assert queue.arguments["x-dead-letter-exchange"] == DEAD.name
    assert queue.arguments["x-dead-letter-routing-key"] == queue.name
    assert queue.arguments["x-dead-letter-strategy"] == "at-least-once"
    assert queue.arguments["x-overflow"] == "reject-publish"
    assert any(matches(binding, queue.name) for binding in PARKED.routing_keys)
    assert PARKED.exchange is DEAD


def test_names_are_unique_and_every_exchange_is_declared() -> None:
    assert max(Counter(queue.name for queue in QUEUES).values()) == 1
    assert {queue.exchange for queue in QUEUES} == set(EXCHANGES) == {EVENTS, ATTEMPTS, DEAD}
    assert [(exchange.name, exchange.kind) for exchange in EXCHANGES] == [
        ("kabar.events", "topic"),
        ("kabar.attempts", "direct"),
        ("kabar.dead", "topic"),
    ]


def test_the_definitions_name_nothing_twice_and_everything_once() -> None:
    written = definitions()
    assert [queue["name"] for queue in written["queues"]] == [queue.name for queue in QUEUES]
    assert len(written["bindings"]) == sum(len(queue.routing_keys) for queue in QUEUES if not queue.on_demand)


def test_only_what_nobody_has_to_hear_may_go_to_no_queue() -> None:
    assert set(ANNOUNCEMENTS.routing_keys) - {MessageReceived.routing_key} == UNHEARD
    assert "delivery.sent" in UNHEARD


def test_the_file_an_operator_imports_is_what_the_services_declare() -> None:
    written = (ROOT / "deploy" / "rabbitmq" / "definitions.json").read_text()
    assert written == rendered(), "run: uv run python -m common.topology > deploy/rabbitmq/definitions.json"


def test_no_other_file_spells_a_queue_name() -> None:
    names = [queue.name for queue in QUEUES] + [exchange.name for exchange in EXCHANGES]
    spelled = [
        (path.relative_to(ROOT), name)
        for folder in ("libs", "services")
        for path in (ROOT / folder).rglob("*.py")
        if path.parts[-2] not in {"topology", "kabar_client"}  # the client stands alone; a test of its own compares it
        for name in names
        if f'"{name}"' in path.read_text() or f"'{name}'" in path.read_text()
    ]
    assert not spelled


def test_every_queue_is_subscribed_to_in_exactly_one_place_of_its_consumer() -> None:
    expected = {
        "NOTIFICATIONS": "services/dispatcher",
        "OUTCOMES": "services/dispatcher",
        "FACTS": "services/dispatcher",
        "MESSAGES": "services/dispatcher",
        "PARKED": "services/dispatcher",
        "ANNOUNCEMENTS": "services/api-gateway",
        "REQUESTS": "services/api-gateway",
        "attempts_queue(name)": "libs/gateway",  # every provider's gateway is wired by this lib
        "webhooks_queue(name)": "libs/gateway",
        "enquiries_queue(name)": "libs/gateway",
        "REPORTS": "services/dispatcher",
    }
    subscribed = [
        ("/".join(path.relative_to(ROOT).parts[:2]), name)
        for folder in ("libs/gateway", "services")
        for path in (ROOT / folder).rglob("*.py")
        for name in re.findall(r"\.subscribe\(\s*([\w]+(?:\(\w+\))?),", path.read_text())
    ]
    assert sorted(subscribed) == sorted((place, name) for name, place in expected.items())
    assert {queue.name for queue in QUEUES} == {
        *(q.name for q in (NOTIFICATIONS, OUTCOMES, REPORTS, FACTS, MESSAGES, REQUESTS, PARKED, ANNOUNCEMENTS)),
        *(attempts_queue(provider).name for provider in GATEWAYS),
        *(webhooks_queue(provider).name for provider in PROVIDERS),
        *(enquiries_queue(provider).name for provider in GATEWAYS),
    }
