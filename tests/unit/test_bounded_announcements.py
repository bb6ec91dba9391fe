"""Announcements only hurry: what is too many is left out, and the next ones go again."""

import asyncio

from api_gateway.adapters.bounded_announcements import BoundedAnnouncements
from common.kernel.failures import Transient
from common.messaging.coalesced import Coalesced


async def test_what_waits_for_a_broker_that_is_away_is_bounded() -> None:
    back = asyncio.Event()
    sent: list[str] = []

    async def send(batch: list[str]) -> None:
        if not back.is_set():
            raise Transient("away")
        sent.extend(batch)

    coalesced: Coalesced[str] = Coalesced(send, limit=5)
    announcements = BoundedAnnouncements(coalesced, most=10)
    for number in range(25):
        announcements.put(f"ntf_{number}")
    assert (announcements.waiting, announcements.left_out) == (10, 15)
    back.set()
    async with asyncio.TaskGroup() as group:
        running = group.create_task(coalesced.run())
        await coalesced.flushed()
        announcements.put("ntf_later")
        await coalesced.flushed()
        running.cancel()
    assert sent == [*(f"ntf_{number}" for number in range(10)), "ntf_later"]
    assert (announcements.waiting, announcements.left_out) == (0, 0)


async def test_an_announcement_that_cannot_be_sent_is_not_missed_by_anybody() -> None:
    async def send(_: list[str]) -> None:
        raise ValueError("no such exchange")

    coalesced: Coalesced[str] = Coalesced(send, limit=5)
    announcements = BoundedAnnouncements(coalesced, most=1)
    async with asyncio.TaskGroup() as group:
        running = group.create_task(coalesced.run())
        announcements.put("ntf_1")
        await coalesced.flushed()
        running.cancel()
    assert announcements.waiting == 0
