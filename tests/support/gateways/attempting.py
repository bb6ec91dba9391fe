"""A gateway's application with everything around it played by the test."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from common.contracts.events import AttemptOutcome, AttemptRequest, AttemptsRequested
from common.contracts.vocabulary import AttemptState
from common.kernel.trace_context import TraceContext
from common.telemetry import tracing
from gateway.application.keep_slot import KeepSlot
from gateway.application.make_attempts import MakeAttempts
from gateway.application.ports import Permit, StartedElsewhere
from gateway.application.report_orphans import ReportOrphans
from gateway.application.room import Room
from gateway.domain.account import Account
from gateway.domain.answer import Accepted, Answer

SENDER = "fonnte-1"
MOST_CHARACTERS = 1024
CONNECT_WITHIN = 10.0


@dataclass
class TickingClock:
    """Goes on by `tick` seconds each time it is read, and by hand."""

    tick: float = 0.0
    time: float = 1_763_175_600.0

    def seconds(self) -> float:
        self.time += self.tick
        return self.time

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.seconds(), UTC)


@dataclass
class Slots:
    """Grants every move and every date unless told otherwise; `before_answering` is what happens meanwhile."""

    movable: bool = True
    moved: list[tuple[datetime, float, datetime]] = field(default_factory=list)
    dated: list[tuple[datetime, datetime]] = field(default_factory=list)
    before_answering: Callable[[], None] = lambda: None

    async def move(
        self,
        sender: str,
        *,
        slot: datetime,
        gap: float,
        to: datetime,
        behind: float = 0.0,  # noqa: ARG002 - the port names it
    ) -> datetime | None:
        assert sender == SENDER
        self.moved.append((slot, gap, to))
        self.before_answering()
        return to if self.movable else None

    async def date(self, sender: str, *, slot: datetime, to: datetime) -> bool:
        assert sender == SENDER
        self.dated.append((slot, to))
        self.before_answering()
        return self.movable


@dataclass
class Observer:
    """`took` is what it was told of each attempt, in which trace."""

    moves: int = 0
    took: list[tuple[AttemptState, float | None, TraceContext | None]] = field(default_factory=list)

    def finished(self, outcome: AttemptOutcome, *, seconds: float | None) -> None:
        self.took.append((outcome.state, seconds, tracing.current()))

    def late(self, seconds: float) -> None: ...

    def moved(self) -> None:
        self.moves += 1


class Deliveries:
    """Everything asked for may be started."""

    async def start(self, asked: AttemptsRequested, token: str) -> set[str]:
        assert token
        return {request.delivery_id for request in asked.attempts}

    async def started_elsewhere(self, asked: AttemptsRequested, token: str) -> list[StartedElsewhere]:
        assert asked, token
        return []


@dataclass
class Provider:
    """Accepts everything it is permitted to ask for; `before_asking` is what happens while it is connected to."""

    before_asking: Callable[[], None] = lambda: None
    called: list[AttemptRequest] = field(default_factory=list)

    async def send(self, account: Account, request: AttemptRequest, permit: Permit) -> Answer:
        assert account.sender == SENDER
        self.before_asking()
        await permit()
        self.called.append(request)
        return Accepted("message-1")

    def cut(self) -> None: ...


@dataclass
class Outcomes:
    kept: list[AttemptOutcome] = field(default_factory=list)

    def put(self, outcome: AttemptOutcome) -> asyncio.Future[None]:
        self.kept.append(outcome)
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        safe.set_result(None)
        return safe


@dataclass
class Attempting:
    """One gateway; `attempt` makes a single attempt and answers what came of it."""

    clock: TickingClock = field(default_factory=TickingClock)
    slots: Slots = field(default_factory=Slots)
    provider: Provider = field(default_factory=Provider)
    observer: Observer = field(default_factory=Observer)

    def keep_slot(self) -> KeepSlot:
        return KeepSlot(
            clock=self.clock, slots=self.slots, observer=self.observer, lateness=timedelta(milliseconds=250)
        )

    async def attempt(self, text: str = "Halo", *, slot: datetime | None = None, gap: float = 0.0) -> AttemptOutcome:
        outcomes, deliveries = Outcomes(), Deliveries()
        make_attempts = MakeAttempts(
            instance="one",
            stopping=lambda: False,
            accounts={SENDER: Account(SENDER, "TOKEN-OF-SENDER-1")},
            provider=self.provider,
            deliveries=deliveries,
            keep_slot=self.keep_slot(),
            report_orphans=ReportOrphans(
                deliveries=deliveries, outcomes=outcomes, clock=self.clock, observer=self.observer
            ),
            outcomes=outcomes,
            clock=self.clock,
            observer=self.observer,
            room=Room(10),
            connect_within=CONNECT_WITHIN,
            max_text_chars=MOST_CHARACTERS,
        )
        request = AttemptRequest(delivery_id="dlv_1", number=1, recipient="6281200000001", text=text, slot=slot)
        await make_attempts(asked_for([request], self.clock, gap=gap), redelivered=False)
        [outcome] = outcomes.kept
        return outcome


def asked_for(requests: list[AttemptRequest], clock: TickingClock, *, gap: float = 0.0) -> AttemptsRequested:
    """An envelope of a dispatcher."""
    return AttemptsRequested(
        claim="claim_1",
        provider="fonnte",
        sender=SENDER,
        deadline=clock.now() + timedelta(minutes=1),
        gap=gap,
        attempts=requests,
    )
