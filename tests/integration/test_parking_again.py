"""Whatever is parked is listed as parked, whatever became of it when it was parked before."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_gateway.adapters.mongo_parked_envelopes import MongoParkedEnvelopes as Listed
from common.mongo.connection import connect
from dispatcher.adapters.mongo_parked_envelopes import MongoParkedEnvelopes as Kept
from dispatcher.application.park_envelope import WHOLE_BYTES, ParkedEnvelope
from tests.support.servers import new_database

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
FIRST = ParkedEnvelope(
    identity="a.queue:evt_1",
    queue="a.queue",
    reason="not valid",
    exchange="kabar.events",
    routing_key="a.key",
    body='{"$set": "$reason"}',
    body_bytes=19,
    digest="d1",
    parked_at=AT,
)
AGAIN = replace(FIRST, reason="no customer C-1 is known", parked_at=LATER)


@pytest.fixture
async def parking(mongodb: Any) -> AsyncIterator[tuple[Kept, Listed]]:
    url = new_database(mongodb)
    async with connect(url, name="test") as mongo:
        yield Kept(mongo["parked_envelopes"]), Listed(mongo)


async def closed(listed: Listed, how: str) -> None:
    found = await listed.get(FIRST.identity)
    assert found is not None
    if how == "discarded":
        assert await listed.discarded(found.id, by="sari", at=AT)
    else:
        assert await listed.claim(found, now=AT, until=AT + timedelta(seconds=15))
        await listed.replayed(found.id, claimed_until=AT + timedelta(seconds=15), by="sari", at=AT)


@pytest.mark.parametrize("how", ["replayed", "discarded"])
async def test_one_that_is_parked_once_more_is_open_again_and_its_history_stays(
    parking: tuple[Kept, Listed], how: str
) -> None:
    kept, listed = parking
    await kept.add(FIRST)
    await closed(listed, how)
    await kept.add(AGAIN)
    (found,) = await listed.page(None, None, 10)
    assert (found.status, found.reason, found.parked_at) == ("parked", AGAIN.reason, LATER)
    assert found.replays == (1 if how == "replayed" else 0)
    was = {"parked_at": AT, "reason": FIRST.reason, f"{how}_at": AT, f"{how}_by": "sari"}
    assert found.earlier == [was]
    await closed(listed, how)
    await kept.add(AGAIN)
    (found,) = await listed.page(None, None, 10)
    assert (found.status, len(found.earlier)) == ("parked", 2)


async def test_one_that_is_listed_stays_as_it_is_when_it_comes_again(parking: tuple[Kept, Listed]) -> None:
    kept, listed = parking
    await kept.add(FIRST)
    await kept.add(AGAIN)
    (found,) = await listed.page(None, None, 10)
    assert (found.parked_at, found.earlier) == (AT, ())


async def test_another_body_under_the_same_identity_is_listed_beside_the_first(parking: tuple[Kept, Listed]) -> None:
    kept, listed = parking
    other = replace(AGAIN, body="{}", body_bytes=2, digest="d2")
    await kept.add(FIRST)
    for _ in range(2):
        await kept.add(other)
    assert [one.body_bytes for one in await listed.page(None, None, 10)] == [2, 19]
    assert [one.complete for one in await listed.page(None, None, 10)] == [True, True]


async def test_another_body_takes_the_place_of_one_that_was_dealt_with(parking: tuple[Kept, Listed]) -> None:
    kept, listed = parking
    await kept.add(FIRST)
    await closed(listed, "replayed")
    await kept.add(replace(AGAIN, body="{}", body_bytes=2, digest="d2"))
    found = await listed.get(FIRST.identity)
    assert found is not None
    assert (found.status, found.body, found.complete) == ("parked", "{}", True)


async def test_one_that_is_parked_while_it_is_replayed_by_force_is_not_closed_by_that(
    parking: tuple[Kept, Listed],
) -> None:
    kept, listed = parking
    await kept.add(FIRST)
    await closed(listed, "replayed")
    found = await listed.get(FIRST.identity)
    assert found is not None
    until = LATER + timedelta(seconds=15)
    assert await listed.claim(found, now=LATER, until=until)
    await kept.add(AGAIN)
    await listed.replayed(found.id, claimed_until=until, by="sari", at=LATER)
    reopened = await listed.get(FIRST.identity)
    assert reopened is not None
    assert reopened.status == "parked"


async def test_one_as_large_as_is_kept_whole_can_be_parked_and_parked_once_more(parking: tuple[Kept, Listed]) -> None:
    kept, listed = parking
    large = replace(FIRST, body="x" * WHOLE_BYTES, body_bytes=WHOLE_BYTES)
    await kept.add(large)
    await closed(listed, "replayed")
    await kept.add(replace(large, parked_at=LATER))
    (found,) = await listed.page(None, None, 10)
    assert (found.status, found.complete, found.body_bytes) == ("parked", True, WHOLE_BYTES)
