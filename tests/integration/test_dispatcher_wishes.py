"""Who asks to stop and to start again gets what they asked for last, whatever is told twice and whoever dies."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from common.contracts.documents import SuppressionDocument
from common.contracts.events import MessageReceived
from common.contracts.facts import SurveyAnswered
from common.contracts.vocabulary import SuppressionReason
from common.mongo.connection import Mongo, connect
from common.mongo.suppressions import Suppressions
from dispatcher.adapters.mongo_conversations import MongoConversations
from dispatcher.application.receive_message import ReceiveMessage
from tests.support.dispatching.memory import StoppedClock
from tests.support.dispatching.notifications import recipient

PERSON = recipient(0)
NOW = datetime(2025, 11, 14, 18, 0, tzinfo=UTC)


class DiedError(Exception):
    """The process ends here."""


@dataclass
class Dies:
    """Suppressions of a process that dies right after it has added one, while somebody else does something."""

    suppressions: Suppressions
    other: ReceiveMessage
    other_message: MessageReceived

    async def add(self, suppression: SuppressionDocument, *, instead: bool = False) -> None:
        await self.other(self.other_message)
        await self.suppressions.add(suppression, instead=instead)
        raise DiedError

    async def lift(self, recipient: str, *, only: SuppressionReason | None = None) -> None:
        raise NotImplementedError


class NoAnswers:
    async def answered(self, answer: SurveyAnswered) -> None:
        raise NotImplementedError


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture
def receive(mongo: Mongo) -> ReceiveMessage:
    return ReceiveMessage(Suppressions(mongo, UTC), MongoConversations(mongo), NoAnswers(), StoppedClock(NOW))


def said(text: str, *, at: datetime = NOW) -> MessageReceived:
    return MessageReceived(
        event_id=f"msg_{text}", occurred_at=at, provider="fonnte", sender="fonnte-1", message_from=PERSON, text=text
    )


async def suppressed(mongo: Mongo) -> bool:
    return await mongo["suppressions"].count_documents({"_id": PERSON}) == 1


async def test_a_stop_that_dies_after_a_start_overtook_it_leaves_nobody_opted_out(
    mongo: Mongo, receive: ReceiveMessage
) -> None:
    stop = said("stop", at=NOW - timedelta(seconds=2))
    start = said("start", at=NOW - timedelta(seconds=1))
    dying = replace(receive, opt_outs=Dies(Suppressions(mongo, UTC), receive, start))
    with pytest.raises(DiedError):
        await dying(stop)
    assert await suppressed(mongo)
    await receive(stop)
    assert not await suppressed(mongo)


async def test_of_the_same_moment_what_comes_last_holds(mongo: Mongo, receive: ReceiveMessage) -> None:
    await receive(said("stop"))
    await receive(said("start"))
    assert not await suppressed(mongo)
    await receive(said("stop"))
    assert not await suppressed(mongo)


async def test_a_message_dated_in_the_future_is_no_newer_wish_each_time_it_is_told(
    mongo: Mongo, receive: ReceiveMessage
) -> None:
    stop = said("stop", at=NOW + timedelta(hours=1))
    await receive(stop)
    await replace(receive, clock=StoppedClock(NOW + timedelta(seconds=5)))(said("start", at=NOW + timedelta(hours=1)))
    await replace(receive, clock=StoppedClock(NOW + timedelta(seconds=9)))(stop)
    assert not await suppressed(mongo)


async def test_a_stop_told_again_changes_nothing_about_what_an_administrator_lifted(
    mongo: Mongo, receive: ReceiveMessage
) -> None:
    await receive(said("stop"))
    await Suppressions(mongo, UTC).lift(PERSON)
    await receive(said("stop"))
    await receive(said("start", at=NOW - timedelta(seconds=1)))
    assert not await suppressed(mongo)
