"""However many dispatchers look, a provider is asked about an attempt once; one that dies over it is replaced."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from common.contracts.events import EnquiriesRequested
from common.contracts.vocabulary import AttemptState
from common.kernel.failures import Transient
from common.mongo.connection import Mongo, connect
from dispatcher.adapters.mongo_deliveries import MongoDeliveries
from dispatcher.application.ask_for_proof import AskForProof
from dispatcher.application.lookout import Lookout
from dispatcher.domain.proof import ASKING, LAST_BEFORE
from tests.support.dispatching.memory import SendersInMemory, StoppedClock
from tests.support.dispatching.model import FONNTE, START, claimed, end_of, queued


@dataclass
class Enquirers:
    reachable: bool = True
    takes: bool = True
    asked: list[EnquiriesRequested] = field(default_factory=list)

    async def enquire(self, enquiries: EnquiriesRequested) -> None:
        if not self.takes:
            raise Transient("RabbitMQ is away")
        self.asked.append(enquiries)

    def references(self) -> list[str]:
        return [one.reference for enquiries in self.asked for one in enquiries.attempts]


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


async def wait_for_proof(mongo: Mongo, *waits: timedelta) -> None:
    """Store deliveries that wait so long, and whose provider is to be asked now."""
    for index, wait in enumerate(waits):
        waiting: dict[str, Any] = dict(end_of(claimed(queued(unknown_wait_seconds=60.0), FONNTE), AttemptState.UNKNOWN))
        due = {"_id": f"dlv_{index}", "wake_at": START + wait, "proof_at": START}
        await mongo["deliveries"].insert_one({**waiting, **due})


def dispatcher(mongo: Mongo, enquirers: Enquirers, clock: StoppedClock) -> AskForProof:
    lookout = Lookout(SendersInMemory(), clock, (FONNTE,))
    return AskForProof(MongoDeliveries(mongo["deliveries"]), enquirers, lookout)


async def test_of_several_dispatchers_one_asks(mongo: Mongo) -> None:
    await wait_for_proof(mongo, *[timedelta(minutes=1)] * 10)
    enquirers, clock = Enquirers(), StoppedClock()
    await asyncio.gather(*(dispatcher(mongo, enquirers, clock)() for _ in range(4)))
    assert sorted(enquirers.references()) == [f"dlv_{index}.1" for index in range(10)]


async def test_routine_enquiries_share_an_envelope_and_last_ones_go_first_by_their_deadline(mongo: Mongo) -> None:
    waits = [timedelta(minutes=1), timedelta(minutes=2), timedelta(seconds=3)]
    await wait_for_proof(mongo, *waits)
    enquirers = Enquirers()
    await dispatcher(mongo, enquirers, StoppedClock())()
    asked = [(one.last, len(one.attempts), one.deadline - START) for one in enquirers.asked]
    assert asked == [(True, 1, waits[2]), (False, 2, waits[0])]


async def test_a_last_enquiry_that_was_not_made_is_made_by_the_next_one_in_time(mongo: Mongo) -> None:
    await wait_for_proof(mongo, LAST_BEFORE)
    enquirers, clock = Enquirers(takes=False), StoppedClock()
    ask = dispatcher(mongo, enquirers, clock)
    with pytest.raises(Transient):
        await ask()
    enquirers.takes = True
    await ask()
    assert not enquirers.asked
    clock.at += ASKING
    await ask()
    assert [one.last for one in enquirers.asked] == [True]
    clock.at += ASKING / 2
    await ask()
    assert len(enquirers.asked) == 1
