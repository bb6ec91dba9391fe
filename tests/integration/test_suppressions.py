"""The suppressions of recipients and what they do to deliveries that wait."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.contracts.documents import SuppressionDocument
from common.contracts.vocabulary import SuppressionReason
from common.mongo.connection import Mongo, connect
from common.mongo.suppressions import Suppressions

NOW = datetime(2025, 11, 14, 18, 0, tzinfo=UTC)
SARI, BUDI = "6281200000001", "6281200000002"


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
def suppressions(mongo: Mongo) -> Suppressions:
    return Suppressions(mongo, ZoneInfo("Asia/Jakarta"))


def suppression(
    recipient: str = SARI, reason: SuppressionReason = SuppressionReason.OPT_OUT, **changed: Any
) -> SuppressionDocument:
    document = {"_id": recipient, "reason": reason, "note": None, "created_by": "recipient", "created_at": NOW}
    return SuppressionDocument(**{**document, **changed})  # type: ignore[typeddict-item]  # the fields are above


def delivery(identity: str, **changed: Any) -> dict[str, Any]:
    return {
        "_id": identity, "recipient": SARI, "suppressible": True, "status": "queued", "lane": "fonnte", "wake_at": NOW,
        "reason": None, "code": None, "attempts": [], "timeline": [], "revision": 3, **changed,
    }  # fmt: skip


async def test_what_waits_for_a_suppressed_recipient_ends_and_says_why(
    mongo: Mongo, suppressions: Suppressions
) -> None:
    await mongo["deliveries"].insert_many(
        [
            delivery("waits"),
            delivery("scheduled", status="scheduled"),
            delivery("may_have_arrived", attempts=[{"number": 1, "outcome": "unknown"}]),
            delivery("for_another", recipient=BUDI),
            delivery("needed_anyway", suppressible=False),
            delivery("under_way", status="sending"),
            delivery("over", status="sent"),
        ]
    )
    done = await suppressions.add(suppression())
    assert (done.new, done.ended) == (True, 3)
    found = {document["_id"]: document async for document in mongo["deliveries"].find()}
    assert {identity: document["status"] for identity, document in found.items()} == {
        "waits": "suppressed",
        "scheduled": "suppressed",
        "may_have_arrived": "unknown",
        "for_another": "queued",
        "needed_anyway": "queued",
        "under_way": "sending",
        "over": "sent",
    }
    # Six in the evening in UTC is the next day in Jakarta.
    ended = found["waits"]
    assert (ended["reason"], ended["code"], ended["revision"]) == ("opted out on 2025-11-15", "SUPPRESSED", 4)
    assert ended["timeline"] == [{"at": NOW, "status": "suppressed", "cause": "opted out on 2025-11-15", "revision": 4}]
    assert not {"lane", "wake_at"} & ended.keys()


async def test_suppressing_again_keeps_what_is_there_unless_it_stands_instead(suppressions: Suppressions) -> None:
    blocked = suppression(reason=SuppressionReason.BLOCKED, created_by="admin")
    first = await suppressions.add(blocked)
    again = await suppressions.add(suppression())
    instead = await suppressions.add(suppression(), instead=True)
    assert first.suppression["listed_as"] == again.suppression["listed_as"] == instead.suppression["listed_as"]
    assert (again.new, shown(again.suppression)) == (False, blocked)
    assert (instead.new, shown(instead.suppression)) == (False, suppression())
    assert shown(await suppressions.get(SARI)) == suppression()


async def test_somebody_who_wants_messages_again_lifts_only_their_own_opt_out(suppressions: Suppressions) -> None:
    await suppressions.add(suppression(SARI))
    await suppressions.add(suppression(BUDI, SuppressionReason.BLOCKED))
    for recipient in (SARI, BUDI):
        await suppressions.lift(recipient, only=SuppressionReason.OPT_OUT)
    found = await suppressions.among([SARI, BUDI])
    assert {one: shown(document) for one, document in found.items()} == {
        BUDI: suppression(BUDI, SuppressionReason.BLOCKED)
    }
    assert await suppressions.lift(BUDI) is not None
    assert await suppressions.lift(BUDI) is None


async def test_suppressions_are_listed_newest_first_by_what_tells_nobody_the_number(suppressions: Suppressions) -> None:
    recipients = [f"62812000000{number:02d}" for number in (3, 1, 4, 0, 5)]
    for recipient in recipients:
        await suppressions.add(suppression(recipient))
    await suppressions.add(suppression(recipients[0]), instead=True)
    first = await suppressions.page(None, 3)
    rest = await suppressions.page(first[-1]["listed_as"], 3)
    listed = [*first, *rest]
    assert {one["_id"] for one in listed} == set(recipients)
    assert [one["listed_as"] for one in listed] == sorted((one["listed_as"] for one in listed), reverse=True)
    assert all(one["listed_as"].startswith("sup_") and one["_id"] not in one["listed_as"] for one in listed)


def shown(document: SuppressionDocument | None) -> SuppressionDocument:
    """Without what the store adds."""
    assert document is not None
    document.pop("listed_as", None)
    return document


async def test_a_concealed_one_still_holds_for_whoever_comes_with_the_number(
    mongo: Mongo, suppressions: Suppressions
) -> None:
    await suppressions.add(suppression(note="kata Sari", created_by="sari@example.com"))
    for _ in range(2):
        assert await suppressions.conceal(SARI)
    stored = await mongo["suppressions"].find().to_list(None)
    assert SARI not in str(stored)
    assert "sari" not in str(stored).lower()
    assert len(stored) == 1
    assert set(await suppressions.among([SARI, BUDI])) == {SARI}
    assert stored[0]["reason"] == SuppressionReason.OPT_OUT
    assert await suppressions.get(SARI) == stored[0]


async def test_nothing_is_concealed_where_nothing_holds(mongo: Mongo, suppressions: Suppressions) -> None:
    assert not await suppressions.conceal(SARI)
    assert await mongo["suppressions"].count_documents({}) == 0


async def test_what_is_decided_anew_holds_before_what_was_concealed_and_both_are_lifted(
    mongo: Mongo, suppressions: Suppressions
) -> None:
    await suppressions.add(suppression())
    await suppressions.conceal(SARI)
    await suppressions.add(suppression(reason=SuppressionReason.BLOCKED))
    holds = await suppressions.get(SARI)
    assert holds is not None
    assert holds["reason"] == SuppressionReason.BLOCKED
    await suppressions.lift(SARI)
    assert await mongo["suppressions"].count_documents({}) == 0


async def test_a_concealed_one_is_lifted_by_the_identity_it_is_listed_under(
    mongo: Mongo, suppressions: Suppressions
) -> None:
    await suppressions.add(suppression())
    await suppressions.conceal(SARI)
    (listed,) = await suppressions.page(None, 10)
    found = await suppressions.listed(listed["listed_as"])
    assert found is not None
    assert await suppressions.get(found["_id"]) == found
    await suppressions.lift(found["_id"])
    assert await mongo["suppressions"].count_documents({}) == 0


async def test_it_is_never_missed_while_it_is_being_concealed(mongo: Mongo, suppressions: Suppressions) -> None:
    others = Suppressions(mongo, ZoneInfo("Asia/Jakarta"))
    for _ in range(30):
        await suppressions.add(suppression())
        seen, _ = await asyncio.gather(
            asyncio.gather(*(others.among([SARI]) for _ in range(5))), suppressions.conceal(SARI)
        )
        assert all(SARI in one for one in seen)
        await suppressions.lift(SARI)
