"""The client against the real API and the real bus; its README runs as it stands."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from common.contracts.events import DeliveryFailed, DeliverySent
from common.contracts.facts import CustomerUpdated, NotificationRequested
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS, FACTS
from kabar_client import (
    AsyncKabar,
    DeliveryChanged,
    Event,
    Forbidden,
    Kabar,
    Missing,
    NotTaken,
    Publisher,
    Refused,
    Reject,
    Subscriber,
    Unauthenticated,
)
from kabar_client.bus import DELIVERY_LIMIT
from tests.support.api import Api, token
from tests.support.bus import connected, emptied, eventually, raw_channel
from tests.support.stored_deliveries import stored_delivery

ROOT = Path(__file__).parents[2]
EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "libs" / "client" / "README.md").read_text(), re.DOTALL)


@pytest.fixture
async def bus(rabbitmq_url: str) -> AsyncIterator[Broker]:
    await emptied(rabbitmq_url)
    async with connected(rabbitmq_url) as broker:
        yield broker


def test_a_notification_is_sent_followed_and_cancelled(api: Api) -> None:
    with Kabar(api.url, token=token()) as kabar:
        accepted = kabar.send("custom", to=["6281200000001", "081200000002", "12"], message="Halo")
        assert accepted.deliveries == 2
        assert [(one.index, one.code) for one in accepted.rejected] == [(2, "INVALID_PHONE")]
        found = kabar.notification(accepted.notification_id)
        assert (found.type, found.recipients) == ("custom", 2)
        assert kabar.cancel(accepted.notification_id).status == "cancelled"


def test_the_same_key_is_accepted_once(api: Api) -> None:
    key = uuid4().hex
    with Kabar(api.url, token=token()) as kabar:
        first = kabar.send("custom", to="6281200000001", message="Halo", idempotency_key=key)
        again = kabar.send("custom", to="6281200000001", message="Halo", idempotency_key=key)
        assert first.notification_id == again.notification_id
        with pytest.raises(Refused) as raised:
            kabar.send("custom", to="6281200000001", message="Hai", idempotency_key=key)
    assert raised.value.code == "IDEMPOTENCY_CONFLICT"


def test_what_goes_wrong_has_its_own_exception(api: Api) -> None:
    with Kabar(api.url, token=token()) as kabar:
        with pytest.raises(Refused) as raised:
            kabar.send("custom", to="12345", message="Halo")
        assert (raised.value.code, raised.value.rejected[0]["index"]) == ("INVALID_PHONE", 0)
        with pytest.raises(Refused) as raised:
            kabar.send("custom", to="6281200000001", message="Halo", priority="urgent")
        assert (raised.value.code, list(raised.value.fields)) == ("VALIDATION_ERROR", ["priority"])
        with pytest.raises(Missing):
            kabar.notification("ntf_none")
    with Kabar(api.url, token="nonsense") as kabar, pytest.raises(Unauthenticated):
        kabar.notification("ntf_none")
    with Kabar(api.url, token=token("technician")) as kabar, pytest.raises(Forbidden):
        kabar.send("custom", to="6281200000001", message="Halo")


async def test_deliveries_are_read_a_page_at_a_time(api: Api) -> None:
    stored = [stored_delivery("failed", to=f"62812000{number:05d}") for number in range(120)]
    api.rows["deliveries"].insert_many(stored)
    async with AsyncKabar(api.url, token=token()) as kabar:
        found = [one async for one in kabar.deliveries(status="failed", since=datetime(2020, 1, 1, tzinfo=UTC))]
        assert [one.id for one in found] == sorted((one["_id"] for one in stored), reverse=True)
        shown = await kabar.delivery(found[0].id)
        assert shown.timeline[0].status == "failed"
        assert (await kabar.retry_delivery(found[0].id)).status == "queued"


def test_rows_are_told_one_many_and_as_a_file(api: Api) -> None:
    with Kabar(api.url, token=token()) as kabar:
        kabar.put_row("customers", "C-1", {"name": "Sari", "phone": "081200000001"})
        told = kabar.put_rows("customers", [{"id": "C-2", "name": "Budi"}, {"id": "C-3", "phone": "12"}])
        assert (told.read, len(told.refusals)) == (2, 1)
        told = kabar.put_csv("customers", "id;name\nC-4;Tono\n", dry_run=True)
        assert (told.read, told.dry_run) == (1, True)
    assert {row["_id"] for row in api.rows["customers"].find()} == {"C-1", "C-2"}


async def test_suppressions_are_listed_and_lifted_by_their_ids(api: Api) -> None:
    body = {"recipient": "6281200000042", "reason": "blocked"}
    async with api.client() as client:
        assert (await client.post("/api/suppressions", json=body)).status_code in {200, 201}
    with Kabar(api.url, token=token("admin")) as kabar:
        (found,) = [one for one in kabar.suppressions() if one.recipient == "6281******042"]
        assert found.reason == "blocked"
    async with AsyncKabar(api.url, token=token("admin")) as kabar:
        await kabar.lift_suppression(found.id)
        assert [one async for one in kabar.suppressions() if one.id == found.id] == []
        with pytest.raises(Missing):
            await kabar.lift_suppression("6281200000042")


async def test_facts_and_requests_are_what_kabar_reads(bus: Broker, rabbitmq_url: str) -> None:
    async with Publisher(rabbitmq_url) as publisher, raw_channel(rabbitmq_url) as channel:
        told = await publisher.tell("customer.updated", {"id": "C-1", "phone": "081200000001"}, version=7)
        message = await (await channel.get_queue(FACTS.name)).get(no_ack=True)
        assert CustomerUpdated.decode(message.body).telling().id == "C-1"
        assert (message.message_id, CustomerUpdated.decode(message.body).version) == (told, 7)
        with pytest.raises(NotTaken, match="no queue takes"):
            await publisher.tell("customer.renamed", {"id": "C-1"})
    assert bus.connected


async def test_a_request_on_the_bus_is_kabars_own(rabbitmq_url: str) -> None:
    """Where nobody of Kabar listens, the envelope is looked at as it is."""
    async with Publisher(rabbitmq_url) as publisher, raw_channel(rabbitmq_url) as channel:
        own = await channel.declare_queue(exclusive=True)
        await own.bind(EVENTS.name, NotificationRequested.routing_key)
        await publisher.request(
            "custom",
            to="6281200000001",
            message="Halo",
            send_at=datetime(2030, 1, 1, tzinfo=UTC),
            idempotency_key="k-1",
        )
        message = await own.get(no_ack=True)
    requested = NotificationRequested.decode(message.body)
    assert (requested.event_id, requested.to, requested.send_at) == (
        "k-1",
        "6281200000001",
        "2030-01-01T00:00:00+00:00",
    )


def changed(kind: type[Any], number: int) -> Any:
    return kind(
        event_id=f"dlv_{number}.3", occurred_at=datetime.now(UTC), version=3, delivery_id=f"dlv_{number}",
        notification_id="ntf_1", type="custom", channel="whatsapp", recipient="6281******001",
        status=kind.routing_key.partition(".")[2],
    )  # fmt: skip


async def test_what_was_told_while_nobody_listened_is_heard(bus: Broker, rabbitmq_url: str) -> None:
    queue = f"test.{uuid4().hex}"
    heard: list[Event] = []

    async def note(event: Event) -> None:
        heard.append(event)

    async with Subscriber(rabbitmq_url, queue, "delivery.failed"):
        pass
    await bus.publish_many(EVENTS, [changed(DeliveryFailed, 1), changed(DeliverySent, 2)])
    try:
        await listened(rabbitmq_url, queue, note, lambda: bool(heard))
    finally:
        await removed(rabbitmq_url, queue)
    (event,) = heard
    assert isinstance(event, DeliveryChanged)
    assert (event.delivery_id, event.status) == ("dlv_1", "failed")


async def test_a_handler_may_fail_longer_than_the_delivery_limit_and_what_it_rejects_goes_aside(
    bus: Broker, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kabar_client.bus.RETRY_SECONDS", 0.0)
    queue = f"test.{uuid4().hex}"
    calls: list[str] = []
    rejected: list[str] = []

    async def fail(event: Event) -> None:
        assert isinstance(event, DeliveryChanged)
        if event.status == "sent":
            rejected.append(event.event_id)
            raise Reject
        calls.append(event.event_id)
        if len(calls) <= 2 * DELIVERY_LIMIT:
            raise ConnectionError("the database is away")

    async with Subscriber(rabbitmq_url, queue, "delivery.failed", "delivery.sent"):
        pass
    await bus.publish_many(EVENTS, [changed(DeliveryFailed, 1), changed(DeliverySent, 2)])
    try:
        await listened(rabbitmq_url, queue, fail, lambda: len(calls) > 2 * DELIVERY_LIMIT and bool(rejected))
        async with raw_channel(rabbitmq_url) as channel:
            dead = await channel.get_queue(f"{queue}.dead")
            message = await dead.get(no_ack=True)
            assert message.routing_key is not None
            assert await dead.get(no_ack=True, fail=False) is None
    finally:
        await removed(rabbitmq_url, queue)
    assert len(rejected) == 1


async def test_an_event_whose_handler_failed_comes_again_and_nonsense_goes_aside(
    bus: Broker, rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kabar_client.bus.RETRY_SECONDS", 0.0)
    queue = f"test.{uuid4().hex}"
    heard: list[str] = []

    async def note(event: Event) -> None:
        heard.append(event.event_id)
        if len(heard) == 1:
            raise OSError("the database is away")

    async with Subscriber(rabbitmq_url, queue):
        pass
    try:
        async with raw_channel(rabbitmq_url) as channel:
            import aio_pika  # noqa: PLC0415

            await channel.default_exchange.publish(aio_pika.Message(b"nonsense"), queue)
            await bus.publish(EVENTS, changed(DeliverySent, 1))
            await listened(rabbitmq_url, queue, note, lambda: len(heard) == 2)
            dead = await (await channel.get_queue(f"{queue}.dead")).get(no_ack=True)
    finally:
        await removed(rabbitmq_url, queue)
    assert heard == ["dlv_1.3", "dlv_1.3"]
    assert dead.body == b"nonsense"


async def listened(url: str, queue: str, note: Any, done: Any) -> None:
    async with Subscriber(url, queue) as subscriber:
        running = asyncio.create_task(subscriber.run(note))
        try:
            await eventually(done)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)


async def removed(url: str, queue: str) -> None:
    async with raw_channel(url) as channel:
        await channel.queue_delete(queue)
        await channel.queue_delete(f"{queue}.dead")


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_an_example_of_the_readme_runs(api: Api, rabbitmq_url: str, number: int) -> None:
    environment = {**os.environ, "KABAR_URL": api.url, "KABAR_TOKEN": token(), "RABBITMQ_URL": rabbitmq_url}
    environment.pop("KABAR_API_KEY", None)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", EXAMPLES[number]], env=environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
