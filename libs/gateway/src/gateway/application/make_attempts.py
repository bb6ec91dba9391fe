"""One envelope of attempts in, one outcome out for each that was ours to make."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from datetime import datetime

from common.contracts.events import AttemptRequest, AttemptsRequested
from common.contracts.vocabulary import AttemptState, FailureClass
from common.kernel.failures import Transient
from common.kernel.trace_context import read_traceparent
from common.telemetry import tracing
from common.telemetry.logs import logger
from gateway.application.keep_slot import KeepSlot
from gateway.application.make_outcome import make_outcome
from gateway.application.ports import Accounts, Deliveries, Observer, Outcomes, Permit, PreciseClock, Provider
from gateway.application.report_orphans import ReportOrphans
from gateway.application.room import Company, Room
from gateway.domain.answer import Answer, Missed, Refused, Unknown

CALL_WITHIN = 4.0
"""Seconds after asking to start, connecting not counted, in which the call must begin: later, its answer could come
after `wake_at`."""
STORE_PAUSE = 0.3
log = logger()


class MakeAttempts:
    """Starts attempts by compare-and-set, calls the provider once for each, reports every outcome.

    What was not ours to start is dropped: whoever has it reports it, or whoever revoked it has decided.
    `connect_within`: the seconds a provider gets to be connected to.
    """

    def __init__(
        self,
        *,
        instance: str,
        stopping: Callable[[], bool],
        accounts: Accounts,
        provider: Provider,
        deliveries: Deliveries,
        keep_slot: KeepSlot,
        report_orphans: ReportOrphans,
        outcomes: Outcomes,
        clock: PreciseClock,
        observer: Observer,
        room: Room,
        connect_within: float,
        max_text_chars: int,
    ) -> None:
        self._instance = instance
        self._stopping = stopping
        self._accounts = accounts
        self._provider = provider
        self._deliveries = deliveries
        self._keep_slot = keep_slot
        self._report_orphans = report_orphans
        self._outcomes = outcomes
        self._clock = clock
        self._observer = observer
        self._room = room
        self._connect_within = connect_within
        self._max_text_chars = max_text_chars
        self._handlings: set[str] = set()

    async def __call__(self, asked: AttemptsRequested, *, redelivered: bool) -> None:
        """Return once every outcome of ours is safe.

        Raises `Transient` when the process stops before anything was started, and nothing after that.
        """
        token = f"{self._instance}/{secrets.token_hex(8)}"
        self._handlings.add(token)
        try:
            async with self._room.entered(_unpaced(asked.attempts)) as company:
                if self._stopping():
                    raise Transient("stopping")  # nothing was started: the envelope goes back
                begun = self._clock.seconds()
                started = await self._start(asked, token)
                requests = [request for request in asked.attempts if request.delivery_id in started]
                company.leave(company.places - _unpaced(requests))
                work = [self._make(asked, request, begun, company) for request in requests]
                if redelivered and len(requests) < len(asked.attempts):
                    work.append(self._report_orphans(asked, token=token, ours=self._handlings.__contains__))
                await asyncio.gather(*work)
        finally:
            self._handlings.discard(token)

    async def _start(self, asked: AttemptsRequested, token: str) -> set[str]:
        """Try until MongoDB answers, always under the same token: a write that did arrive is then recognised."""
        while True:
            try:
                return await self._deliveries.start(asked, token)
            except Transient:
                if self._stopping():
                    raise  # the envelope goes back; what did start is found by whoever takes it
                await asyncio.sleep(STORE_PAUSE)

    async def _make(self, asked: AttemptsRequested, request: AttemptRequest, begun: float, company: Company) -> None:
        span = tracing.begin(f"call {asked.provider}", read_traceparent(request.traceparent), kind=tracing.Kind.CLIENT)
        span.note(delivery_id=request.delivery_id, attempt=request.number, sender=asked.sender)
        with tracing.within(span):
            await self._call(asked, request, begun, company, span)

    async def _call(
        self, asked: AttemptsRequested, request: AttemptRequest, begun: float, company: Company, span: tracing.Span
    ) -> None:
        called_at: datetime | None = None
        called = self._clock.seconds()
        slot = request.slot

        async def permit() -> None:
            nonlocal called_at, called, slot
            # No more than what connecting may take: a clock that is set meanwhile must not make it look longer.
            connecting = min(self._clock.seconds() - called, self._connect_within)
            before = begun + CALL_WITHIN + connecting
            self._in_time(before)
            if slot is not None:
                with tracing.span("wait for slot"):
                    slot = await self._keep_slot.reach(asked.sender, slot, asked.gap, before=before)
            called_at, called = self._clock.now(), self._clock.seconds()

        answer = await self._answer(asked.sender, request, permit, before=begun + CALL_WITHIN)
        took = self._clock.seconds() - called
        if slot is None:
            company.leave()
        finished_at = self._clock.now()
        outcome = make_outcome(
            answer,
            delivery_id=request.delivery_id,
            number=request.number,
            claim=asked.claim,
            sender=asked.sender,
            started_at=called_at or finished_at,
            finished_at=finished_at,
            traceparent=span.traceparent,
        )
        failed = outcome.state is not AttemptState.SUCCEEDED
        span.end(outcome=outcome.state.value, failure=outcome.failure and outcome.failure.value, failed=failed)
        self._observer.finished(outcome, seconds=None if called_at is None else took)
        work: list[Awaitable[None]] = [self._outcomes.put(outcome)]
        if slot is not None and asked.gap and called_at is not None:
            work.append(self._keep_slot.answered(asked.sender, slot, asked.gap, seconds=took))
        await asyncio.gather(*work)

    def _in_time(self, before: float) -> None:
        if self._clock.seconds() > before:
            raise Missed("starting the attempt took too long")

    async def _answer(self, sender: str, request: AttemptRequest, permit: Permit, *, before: float) -> Answer | Missed:
        account = self._accounts.get(sender)
        if account is None:
            return Refused(FailureClass.AUTH, f"no token configured for {sender}")
        if len(request.text) > self._max_text_chars:  # planned while nobody knew this provider's limit
            return Refused(FailureClass.BUG, f"longer than {self._max_text_chars} characters")
        try:
            self._in_time(before)
            return await self._provider.send(account, request, permit)
        except Missed as missed:
            return missed
        except Exception as error:
            # A defect of ours after the call may have been made: the truth is that nobody knows.
            log.exception("attempt.defect", delivery_id=request.delivery_id, number=request.number)
            return Unknown(f"the gateway failed while calling: {type(error).__name__}")


def _unpaced(requests: list[AttemptRequest]) -> int:
    return sum(request.slot is None for request in requests)
