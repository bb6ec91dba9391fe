"""What is told to others while RabbitMQ comes and goes: nothing waits for it, and nothing is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, cast

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.event import Event
from common.contracts.events import DeliveryChanged
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from dispatcher.application.announce import BATCH, CHUNK, MOST_WAITING, Announce
from dispatcher.domain.announcements import of_timeline
from dispatcher.metrics import Metrics
from tests.support.dispatching.memory import StoppedClock
from tests.support.stored_deliveries import stored_delivery


@dataclass
class Bus:
    reachable: bool = True
    failing: bool = False
    untellable: str | None = None
    error: type[Exception] = ValueError
    slow_after: int | None = None
    told: list[Event] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    async def tell(self, events: Sequence[Event]) -> None:
        if self.failing:
            raise Transient("RabbitMQ is away")
        if self.slow_after is not None and len(self.batches) >= self.slow_after:
            raise Transient("RabbitMQ did not confirm in time")
        if self.untellable in {event.event_id for event in events if isinstance(event, DeliveryChanged)}:
            raise self.error("it is too large")
        self.told += events
        self.batches.append(len(events))


@dataclass
class Kept:
    left: list[DeliveryDocument] = field(default_factory=list)
    noted: list[str] = field(default_factory=list)

    async def told(self, events: Sequence[DeliveryChanged]) -> None:
        self.noted += [event.event_id for event in events]

    async def deliveries(self, clock: Clock, lease: timedelta, limit: int) -> list[DeliveryDocument]:
        assert clock.now()
        assert lease > timedelta(seconds=5)
        return self.left[:limit]

    async def deliveries_told(self, deliveries: Sequence[DeliveryDocument]) -> None:
        self.left = [one for one in self.left if one not in deliveries]

    async def notifications(self, clock: Clock, lease: timedelta, limit: int) -> list[NotificationDocument]:
        assert clock.now()
        return [] if lease and limit else [cast("NotificationDocument", {})]

    async def notifications_told(self, notifications: Sequence[NotificationDocument]) -> None:
        raise NotImplementedError

    async def progress(self, notification_ids: Sequence[str]) -> dict[str, dict[str, int]]:
        raise NotImplementedError


def ended(number: int = 1) -> DeliveryDocument:
    delivery: Any = stored_delivery("sent", to=f"62812000{number:05d}", revision=3)
    delivery["timeline"][0] |= {"status": "sent", "revision": 3}
    return cast("DeliveryDocument", delivery)


def announced(count: int, *, alone: bool = True) -> list[tuple[DeliveryChanged, bool]]:
    return [(event, alone) for number in range(count) for event in of_timeline(ended(number))]


def announcing(bus: Bus, kept: Kept) -> Announce:
    return Announce(bus, kept, StoppedClock(), Metrics(CollectorRegistry()))


async def test_many_are_told_together_and_then_noted() -> None:
    bus, kept = Bus(), Kept()
    announce = announcing(bus, kept)
    announce.put(announced(BATCH + 20))
    await announce.step()
    await announce.step()
    assert bus.batches == [CHUNK] * (BATCH // CHUNK) + [20]
    assert len(set(kept.noted)) == BATCH + 20


async def test_what_follows_something_untold_stays_marked() -> None:
    bus, kept = Bus(), Kept()
    announce = announcing(bus, kept)
    announce.put(announced(1, alone=False))
    await announce.step()
    assert (len(bus.told), kept.noted) == (1, [])


async def test_while_the_bus_is_away_nothing_piles_up_and_the_sweeper_waits() -> None:
    bus, kept = Bus(reachable=False), Kept([ended()])
    announce = announcing(bus, kept)
    announce.put(announced(10))
    assert not announce._waiting
    assert await announce.overdue() is False
    assert len(kept.left) == 1
    bus.reachable = True
    await announce.overdue()
    assert [event.routing_key for event in bus.told] == ["delivery.sent"]
    assert kept.left == []


async def test_what_was_not_confirmed_is_not_noted() -> None:
    bus, kept = Bus(failing=True), Kept([ended()])
    announce = announcing(bus, kept)
    announce.put(announced(3))
    with pytest.raises(Transient):
        await announce.step()
    with pytest.raises(Transient):
        await announce.overdue()
    assert kept.noted == []
    assert len(kept.left) == 1


async def test_more_than_the_bus_takes_is_left_to_the_sweeper() -> None:
    announce = announcing(Bus(), Kept())
    for _ in range(3):
        announce.put(announced(1) * MOST_WAITING)
    assert len(announce._waiting) == MOST_WAITING


async def test_what_was_confirmed_is_noted_though_the_rest_took_too_long() -> None:
    bus, kept = Bus(slow_after=2), Kept([ended(number) for number in range(BATCH)])
    announce = announcing(bus, kept)
    announce.put(announced(BATCH))
    with pytest.raises(Transient):
        await announce.step()
    assert len(kept.noted) == 2 * CHUNK
    bus.slow_after = 5
    with pytest.raises(Transient):
        await announce.overdue()
    assert len(kept.left) == BATCH - 3 * CHUNK


@pytest.mark.parametrize("error", [ValueError, Transient])
async def test_one_that_cannot_be_told_keeps_no_other_from_it_and_is_named(
    error: type[Exception],
) -> None:
    deliveries = [ended(number) for number in range(CHUNK + 1)]
    events = [(event, True) for delivery in deliveries for event in of_timeline(delivery)]
    bus, kept = Bus(untellable=events[7][0].event_id, error=error), Kept(list(deliveries))
    announce = announcing(bus, kept)
    announce.put(events)
    with capture_logs() as lines:
        await announce.step()
    assert [line["of"] for line in lines] == [events[7][0].event_id]
    assert len(kept.noted) == CHUNK
    assert bus.untellable not in kept.noted
    await announce.overdue()
    assert kept.left == [deliveries[7]]
