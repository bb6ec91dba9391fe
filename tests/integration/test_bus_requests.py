"""A notification asked for on the bus is accepted once, parked with its reason, or waits for what it speaks of."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from common.catalogue.examples import EXAMPLE_DATA
from common.contracts.facts import NotificationRequested
from common.messaging.broker import Envelope, RawEvent
from common.topology.declarations import EVENTS, PARKED, REPLAY_HEADER
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, ready, running_api, until, wait_until
from tests.support.bus import connected, publish_raw
from tests.support.directory_rows import tell, tell_examples
from tests.support.servers import new_database

PATIENCE = 4.0


@pytest.fixture(scope="module")
def api(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One that waits for rows for some seconds only."""
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log, KABAR_EARLY_REQUEST_SECONDS=str(PATIENCE)) as started:
        wait_until(lambda: ready(started), f"api-gateway is not ready; see {log}")
        tell_examples(started.rows)
        yield started


class Parked:
    """What the graves hold: reasons by event."""

    def __init__(self) -> None:
        self.reasons: list[tuple[str, str]] = []
        self.replays: dict[str, tuple[str, object]] = {}
        self.messages: set[str] = set()

    async def __call__(self, envelope: Envelope[Any]) -> None:
        event: RawEvent = envelope.event
        self.messages.add(envelope.message_id)
        body = json.loads(event.body) if event.body.startswith(b"{") else {}
        self.reasons.append((str(body.get("event_id", "")), str(event.headers["x-kabar-reason"])))
        self.replays[str(body.get("event_id", ""))] = envelope.message_id, event.headers.get(REPLAY_HEADER)

    def of(self, event_id: str) -> list[str]:
        return [reason for identity, reason in self.reasons if identity == event_id]


def requested(event_id: str, **fields: Any) -> bytes:
    occurred_at = datetime.now(UTC).isoformat()
    return json.dumps({"event_id": event_id, "occurred_at": occurred_at, "version": 1, **fields}).encode()


async def publish(rabbitmq: PrivateRabbitMQ, event_id: str, **fields: Any) -> None:
    await publish_raw(rabbitmq.url, EVENTS, NotificationRequested.routing_key, requested(event_id, **fields))


def notifications(api: Api, subject: str) -> list[dict[str, Any]]:
    return list(api.rows["notifications"].find({"subject": subject}))


async def test_the_same_event_ten_times_at_once_is_one_notification(api: Api, rabbitmq: PrivateRabbitMQ) -> None:
    event_id = uuid4().hex
    tell(api.rows, "customers", {"id": event_id, "name": "Sari", "phone": "6281200000041"})
    data = {"customerId": event_id}
    await asyncio.gather(*(publish(rabbitmq, event_id, type="welcome", data=data) for _ in range(10)))

    async def accepted() -> bool:
        return bool(notifications(api, f"customer {event_id}"))

    await until(accepted, "it was not accepted")
    last = uuid4().hex
    await publish(rabbitmq, last, type="welcome", data=data)

    async def both() -> bool:
        return len(notifications(api, f"customer {event_id}")) >= 2

    await until(both, "the other event was not accepted")
    keys = api.rows["idempotency_keys"].count_documents({"resource_id": {"$in": [
        one["_id"] for one in notifications(api, f"customer {event_id}")
    ]}})  # fmt: skip
    assert (len(notifications(api, f"customer {event_id}")), keys) == (2, 2)
    assert {one["created_by"] for one in notifications(api, f"customer {event_id}")} == {"bus"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"type": "nosuch"}, "type"),
        ({"type": "welcome", "data": {"customer_id": "C-1001", "colour": "red"}}, "data.colour: unknown field"),
        ({"type": "welcome"}, "data.customer_id: needed"),
        ({"type": "custom", "to": "x", "message": "hai"}, "to: no recipient can be accepted"),
        ({"type": "custom", "message": "hai"}, "to: needed"),
        ({"type": "custom", "to": [], "message": "hai"}, "to: 0 recipients"),
        ({"type": "custom", "to": "6281200000001", "message": "hai", "direct": True}, "direct: "),
    ],
)
async def test_what_can_never_be_accepted_is_parked_with_the_field_at_fault(
    api: Api, rabbitmq: PrivateRabbitMQ, fields: dict[str, Any], reason: str
) -> None:
    assert api.process.poll() is None
    parked, event_id = Parked(), uuid4().hex
    async with connected(rabbitmq.url, (PARKED, None, parked)):
        await publish(rabbitmq, event_id, **fields)

        async def there() -> bool:
            return bool(parked.of(event_id))

        await until(there, "it was not parked")
    assert reason in parked.of(event_id)[0]


async def test_another_body_under_the_same_event_id_is_parked(api: Api, rabbitmq: PrivateRabbitMQ) -> None:
    parked, event_id = Parked(), uuid4().hex
    tell(api.rows, "customers", {"id": event_id, "name": "Sari", "phone": "6281200000041"})
    async with connected(rabbitmq.url, (PARKED, None, parked)):
        await publish(rabbitmq, event_id, type="welcome", data={"customer_id": event_id})

        async def accepted() -> bool:
            return bool(notifications(api, f"customer {event_id}"))

        await until(accepted, "it was not accepted")
        await publish(rabbitmq, event_id, type="welcome", data={"customer_id": "C-1001"})

        async def there() -> bool:
            return bool(parked.of(event_id))

        await until(there, "it was not parked")
    assert "used for another request" in parked.of(event_id)[0]


async def test_a_row_told_later_than_what_speaks_of_it_is_waited_for_and_blocks_nobody(
    api: Api, rabbitmq: PrivateRabbitMQ
) -> None:
    early, event_id = [uuid4().hex for _ in range(60)], uuid4().hex
    for identity in early:  # three times what is handled at once
        await publish(rabbitmq, identity, type="welcome", data={"customer_id": identity})
    tell(api.rows, "customers", {"id": event_id, "name": "Sari", "phone": "6281200000042"})
    await publish(rabbitmq, event_id, type="welcome", data={"customer_id": event_id})

    async def others() -> bool:
        return bool(notifications(api, f"customer {event_id}"))

    await until(others, "one behind those that wait was not accepted", seconds=PATIENCE)
    waiting = api.rows["early_requests"].find_one({"_id": early[0]})
    assert waiting is not None
    assert waiting["reason"] == f"data.customer_id: no customer {early[0]} is known"
    assert (waiting["deadline"] - waiting["first_at"]).total_seconds() == PATIENCE
    for identity in early:
        tell(api.rows, "customers", {"id": identity, "name": "Sari", "phone": "6281200000043"})

    async def all_accepted() -> bool:
        return (
            api.rows["notifications"].count_documents({"subject": {"$in": [f"customer {one}" for one in early]}}) == 60
        )

    await until(all_accepted, "not all were accepted once their rows were told")

    async def forgotten() -> bool:
        return api.rows["early_requests"].count_documents({}) == 0

    await until(forgotten, "something is still waiting")


async def test_a_row_nobody_tells_is_given_up_and_parked_with_its_name(api: Api, rabbitmq: PrivateRabbitMQ) -> None:
    parked, event_id = Parked(), uuid4().hex
    data = {**EXAMPLE_DATA["ticket_assignment"], "technician_id": "X-1"}  # type: ignore[index]
    async with connected(rabbitmq.url, (PARKED, None, parked)):
        await publish(rabbitmq, event_id, type="ticket_assignment", data=data)

        async def there() -> bool:
            return bool(parked.of(event_id))

        await until(there, "it was not parked", seconds=PATIENCE + 20)
    assert len(parked.of(event_id)) == 1
    assert "no technician X-1 is known" in parked.of(event_id)[0]
    assert api.rows["early_requests"].count_documents({"_id": event_id}) == 0


async def test_one_that_was_handed_in_again_too_early_is_known_when_it_is_parked_once_more(
    api: Api, rabbitmq: PrivateRabbitMQ
) -> None:
    parked, event_id = Parked(), uuid4().hex
    body = requested(event_id, type="welcome", data={"customer_id": event_id})
    async with connected(rabbitmq.url, (PARKED, None, parked)) as broker:
        raw = RawEvent(body, {REPLAY_HEADER: "1"}, NotificationRequested.routing_key)
        await broker.publish_raw(EVENTS, raw, message_id="msg_1")

        async def there() -> bool:
            return bool(parked.of(event_id))

        await until(there, "it was not parked", seconds=PATIENCE + 20)
    assert parked.replays[event_id] == ("msg_1", "1")
    assert api.rows["early_requests"].count_documents({"_id": event_id}) == 0


async def test_one_that_cannot_be_read_any_more_is_parked_and_keeps_none_from_being_tried_again(
    api: Api, rabbitmq: PrivateRabbitMQ
) -> None:
    parked, event_id = Parked(), uuid4().hex
    api.rows["early_requests"].insert_one({"_id": "evt_strange", "due_at": datetime(2026, 1, 1, tzinfo=UTC)})
    async with connected(rabbitmq.url, (PARKED, None, parked)):
        await publish(rabbitmq, event_id, type="welcome", data={"customer_id": event_id})

        async def waits() -> bool:
            return api.rows["early_requests"].find_one({"_id": event_id}) is not None

        await until(waits, "it does not wait")
        tell(api.rows, "customers", {"id": event_id, "name": "Sari", "phone": "6281200000044"})

        async def accepted() -> bool:
            return bool(notifications(api, f"customer {event_id}")) and "evt_strange" in parked.messages

        await until(accepted, "the other was not accepted, or this one not parked")
    api.rows["early_requests"].delete_many({})
