"""The promise: never more than the limit in any window, never closer than the gap, whatever comes in which order."""

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import mean, median
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.mongo.connection import Collection, Mongo, connect
from common.mongo.gate import LATENESS, LEAD, WINDOWS, Granted, Limits, MongoGate
from tests.support.servers import new_database

START = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Call:
    """A call at the provider: granted for `slot`, perhaps dated later, made up to `LATENESS` after that.

    The gate has known its date since `known` at the latest.
    """

    slot: datetime
    dated: datetime
    made: datetime
    known: datetime
    critical: bool = False

    def follows(self, critical: "Call") -> bool:
        """Whether it was granted after that one's date was known for certain: slots are granted up to `LEAD` ahead."""
        return self.slot > critical.known + LEAD


@dataclass
class Calls:
    """What a provider would have seen, and what it would say about it."""

    made: list[Call] = field(default_factory=list)

    def add(
        self,
        grant: Granted,
        *,
        to: datetime | None = None,
        known: datetime | None = None,
        late: float = 0,
        critical: bool = False,
        count: int | None = None,
    ) -> None:
        """So many calls of a grant, all unless said; their date is known before it comes, unless said."""
        dated = to or grant.slot
        calls = grant.count if count is None else count
        self.made += [Call(grant.slot, dated, dated + late * LATENESS, known or dated, critical)] * calls

    def assert_within(self, limits: Limits) -> None:
        moments = sorted(call.made for call in self.made)
        for name, limit in limits.windows().items():
            window = timedelta(seconds=WINDOWS[name])
            for first, one_too_many in zip(moments, moments[limit:], strict=False):
                assert one_too_many - first >= window, f"{limit + 1} calls in a {name} from {first}"
        if limits.gap:
            self._assert_never_closer_than(timedelta(seconds=limits.gap))

    def _assert_never_closer_than(self, gap: timedelta) -> None:
        paced = sorted((call for call in self.made if not call.critical), key=lambda call: call.dated)
        for before, after in pairwise(paced):
            assert after.dated - before.dated >= gap, f"too close at {after.dated}"
        for critical in (call for call in self.made if call.critical):
            behind = [call.dated for call in paced if call.follows(critical)]
            assert all(dated - critical.dated >= gap for dated in behind), f"too close behind {critical.dated}"


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="module")
def senders(mongodb: Any, runner: asyncio.Runner) -> Iterator[Collection]:
    async def opened() -> tuple[Any, Mongo]:
        connecting = connect(new_database(mongodb), name="test")
        return connecting, await connecting.__aenter__()

    connecting, mongo = runner.run(opened())
    yield mongo["senders"]
    runner.run(connecting.__aexit__(None, None, None))


LIMITS = st.sampled_from(
    [
        Limits(gap=2),
        Limits(gap=10, per_minute=3, per_hour=5),
        Limits(gap=0.5, per_minute=10, per_day=20),
        Limits(gap=37.25, per_hour=700),
        Limits(per_minute=3, per_hour=5, per_day=8),
        Limits(per_minute=600),
        Limits(per_minute=600, per_hour=900),
        Limits(per_minute=1),
    ]
)
PAUSES = st.one_of(
    st.sampled_from([0.001, 0.05, 0.1, 0.119, 0.12, 0.121, 0.25, 0.5, 1.88, 2, 9.88, 10]),
    st.sampled_from([59.999, 60.0, 60.1, 60.249, 60.25, 3_599, 3_600.25, 86_400.25]),
    st.floats(0, 100, allow_nan=False),
)


LATER = st.one_of(st.sampled_from([1, 5, 6, 117, 250, 7_031]), st.integers(1, 20_000))


class Story:
    """Two dispatchers, a gateway and an operator at one gate, at moments that only grow."""

    def __init__(self, senders: Collection, limits: Limits, data: st.DataObject) -> None:
        self.senders, self.limits, self.data = senders, limits, data
        self.key = uuid4().hex
        self.now = START
        self.calls = Calls()
        self.held: list[tuple[Granted, bool]] = []

    def gate(self) -> MongoGate:
        return MongoGate(self.senders, now=self.now)

    async def ask(self) -> None:
        want = self.data.draw(st.sampled_from([1, 2, 300]))
        critical = self.data.draw(st.booleans())
        answer = await self.gate().grant(self.key, self.limits, want=want, skip_gap=critical)
        if isinstance(answer, Granted):
            assert self.now <= answer.slot
            assert answer.count <= want
            self.held.append((answer, critical))
        elif self.data.draw(st.booleans()):  # nobody else asks: what it said to wait is enough
            self.now = max(self.now, answer.until)
            again = await self.gate().grant(self.key, self.limits, want=want, skip_gap=critical)
            assert isinstance(again, Granted)
            self.held.append((again, critical))

    async def call(self) -> None:
        if self.held:
            grant, critical = self.held.pop(self.data.draw(st.integers(0, len(self.held) - 1)))
            late = self.data.draw(st.floats(0, 1))
            self.calls.add(grant, late=late, critical=critical)

    async def call_late(self) -> None:
        """Dated by the gap, if there is one, and otherwise each part of a grant by itself."""
        if not self.held:
            return
        grant, critical = self.held.pop(self.data.draw(st.sampled_from([0, -1])))
        if critical or not self.limits.gap:
            await self.call_dated(grant, critical=critical)
        else:
            await self.call_moved(grant)

    async def call_dated(self, grant: Granted, *, critical: bool) -> None:
        left, slots = grant.count, [grant.slot]
        while left:
            count = self.data.draw(st.integers(1, left))
            left -= count
            # Perhaps dated before, as one that was late again.
            slot = self.data.draw(st.sampled_from(slots))
            late = max(self.now, slot) + timedelta(milliseconds=self.data.draw(LATER))
            if await self.gate().date(self.key, slot=slot, to=late):
                slots.append(late)
                self.calls.add(grant, to=late, late=self.data.draw(st.floats(0, 1)), critical=critical, count=count)
            if self.data.draw(st.booleans()):
                await self.wait()

    async def call_moved(self, grant: Granted) -> None:
        late = grant.slot + timedelta(milliseconds=self.data.draw(st.integers(1, 20_000)))
        behind = self.data.draw(st.sampled_from([0.0, 1.0, 30.0]))
        moved = await self.gate().move(self.key, slot=grant.slot, gap=self.limits.gap, to=late, behind=behind)
        if moved is not None:
            assert moved >= late
            self.now = max(self.now, late)
            self.calls.add(grant, to=moved, late=1)

    async def give_back(self) -> None:
        if self.held:
            grant, critical = self.held.pop(self.data.draw(st.integers(0, len(self.held) - 1)))
            unused = self.data.draw(st.integers(1, grant.count))
            await self.gate().give_back(self.key, grant, unused=unused)
            if unused < grant.count:
                self.held.append((replace(grant, count=grant.count - unused), critical))

    async def die(self) -> None:
        """A dispatcher ends with what it was granted; nobody knows of it any more."""
        self.held.clear()

    async def wait(self) -> None:
        self.now += timedelta(milliseconds=round(self.data.draw(PAUSES) * 1000))

    async def run(self) -> None:
        steps = [self.ask, self.call, self.wait, self.give_back, self.call_late, self.die]
        weights = [0, 0, 0, 0, 1, 2, 2, 2, 3, 4, 5]
        for number in self.data.draw(st.lists(st.sampled_from(weights), min_size=15, max_size=50)):
            await steps[number]()
        while self.held:
            await self.call()
        self.calls.assert_within(self.limits)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(limits=LIMITS, data=st.data())
def test_no_story_ever_breaks_a_window_or_the_gap(
    senders: Collection, runner: asyncio.Runner, limits: Limits, data: st.DataObject
) -> None:
    runner.run(Story(senders, limits, data).run())


@pytest.mark.parametrize("contenders", [2, 8])
@pytest.mark.parametrize(
    "limits",
    [
        Limits(gap=10, per_minute=5, per_hour=100, per_day=500),
        Limits(per_minute=10, per_hour=100, per_day=300),
        Limits(per_minute=600, per_hour=3_000),
        Limits(gap=2.5),
    ],
    ids=str,
)
async def test_contenders_that_all_ask_at_once_keep_the_promise(
    mongodb_url: str, contenders: int, limits: Limits
) -> None:
    """The server's clock runs 2,000 times as fast, so that a second is half an hour; the rest is as it is."""
    begun = datetime.now(UTC)
    faster = _server_clock(begun, times=2_000)
    calls = Calls()
    ending = asyncio.get_running_loop().time() + 1.5

    async def contend(number: int) -> None:
        chance = random.Random(number)
        async with connect(mongodb_url, name=f"contender-{number}") as mongo:
            gate = MongoGate(mongo["senders"], now=faster)
            while asyncio.get_running_loop().time() < ending:
                critical = chance.random() < 0.02
                answer = await gate.grant("fonnte-1", limits, want=chance.choice([1, 3, 40]), skip_gap=critical)
                if not isinstance(answer, Granted):
                    continue
                match chance.randrange(8):
                    case 0:
                        await gate.give_back("fonnte-1", answer)
                    case 1:
                        late = answer.slot + timedelta(milliseconds=chance.randrange(300, 4_000))
                        if limits.gap and not critical:
                            made = await gate.move(
                                "fonnte-1", slot=answer.slot, gap=limits.gap, to=late, behind=chance.choice([0.0, 30.0])
                            )
                        else:
                            made = late if await gate.date("fonnte-1", slot=answer.slot, to=late) else None
                        if made is not None:
                            known = max(made, START + (datetime.now(UTC) - begun) * 2_000)
                            calls.add(answer, to=made, known=known, late=chance.random(), critical=critical)
                    case 2:
                        pass  # it died with the grant
                    case _:
                        calls.add(answer, late=chance.random(), critical=critical)

    await asyncio.gather(*(contend(number) for number in range(contenders)))
    assert len(calls.made) > 20
    calls.assert_within(limits)


async def test_eight_contenders_keep_a_real_gap_and_waste_next_to_nothing_of_it(mongodb_url: str) -> None:
    limits = Limits(gap=0.2)
    slots: list[datetime] = []
    ending = asyncio.get_running_loop().time() + 3

    async def contend(number: int) -> None:
        async with connect(mongodb_url, name=f"contender-{number}") as mongo:
            gate = MongoGate(mongo["senders"])
            while asyncio.get_running_loop().time() < ending:
                answer = await gate.grant("fonnte-1", limits)
                if isinstance(answer, Granted):
                    slots.append(answer.slot)
                else:
                    await asyncio.sleep(answer.seconds)

    await asyncio.gather(*(contend(number) for number in range(8)))
    slots.sort()
    gaps = [(after - before).total_seconds() for before, after in pairwise(slots)]
    assert min(gaps) >= 0.2
    assert median(gaps) < 0.205
    assert mean(gaps) - 0.2 < 0.1, "more than one percent of the usual ten seconds"


def _server_clock(begun: datetime, *, times: int) -> dict[str, Any]:
    """An expression: the server's time, running so many times as fast since then."""
    return {"$add": [START, {"$multiply": [{"$subtract": ["$$NOW", begun]}, times]}]}
