"""Ask the provider what became of attempts nobody can tell the outcome of."""

import asyncio

from common.contracts.events import DoubtedAttempt, EnquiriesRequested, Report
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.kernel.trace_context import read_traceparent
from common.telemetry import tracing
from common.telemetry.logs import clean, logger
from gateway.application.ports import Accounts, Asking, Reports
from gateway.domain.enquiries import Enquiries

ASKED_AT_ONCE = 4
"""Providers limit how often reports are made."""
LAST_AT_ONCE = 16
"""The last ones have this room of their own: there is no other time for them, and a silent provider fills the rest."""
ROUTINE_SECONDS = 3.0
"""An answer that takes longer is not waited for unless it is the last time, nor is a turn: it is asked again soon."""
log = logger()


class ProveAttempts:
    """What proves something is reported like any other word of the provider; what fails is asked again by others."""

    def __init__(
        self, accounts: Accounts, *, asking: Asking, enquiries: Enquiries, reports: Reports, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._asking = asking
        self._enquiries = enquiries
        self._reports = reports
        self._clock = clock
        self._room = {False: asyncio.Semaphore(ASKED_AT_ONCE), True: asyncio.Semaphore(LAST_AT_ONCE)}

    async def __call__(self, asked: EnquiriesRequested) -> None:
        in_time = await asyncio.gather(*(self._traced(asked, attempt) for attempt in asked.attempts))
        if not all(in_time):
            late = in_time.count(False)
            log.warning("enquiries.too_late", last=asked.last, attempts=len(in_time), not_asked=late)

    async def _traced(self, asked: EnquiriesRequested, doubted: DoubtedAttempt) -> bool:
        of = read_traceparent(doubted.traceparent)
        with tracing.span(f"ask {asked.provider}", of, kind=tracing.Kind.CLIENT) as span:
            span.note(delivery_id=doubted.delivery_id, attempt=doubted.number, sender=doubted.sender)
            return await self._ask(asked, doubted)

    async def _ask(self, asked: EnquiriesRequested, doubted: DoubtedAttempt) -> bool:
        """`False` when its turn did not come in time."""
        account = self._accounts.get(doubted.sender)
        call = account and self._enquiries.fate(account, doubted, last=asked.last)
        if not call:
            return True
        if self._clock.now() >= asked.deadline:
            return False
        room = self._room[asked.last]
        try:
            async with asyncio.timeout(self._seconds(asked)):
                await room.acquire()
        except TimeoutError:
            return False
        try:
            async with asyncio.timeout(self._seconds(asked)):
                content = await self._asking.ask(call)
        except (Transient, TimeoutError) as error:
            log.warning("attempt.not_proved", delivery_id=doubted.delivery_id, error=str(error) or "no answer in time")
            return True
        finally:
            room.release()
        report = self._enquiries.read_fate(content, doubted, self._clock.now())
        if report is not None:
            await self._tell(report, doubted)
        return True

    def _seconds(self, asked: EnquiriesRequested) -> float:
        """How long may still be waited, for a turn or for an answer."""
        left = (asked.deadline - self._clock.now()).total_seconds()
        return left if asked.last else min(left, ROUTINE_SECONDS)

    async def _tell(self, report: Report, doubted: DoubtedAttempt) -> None:
        log.info("attempt.proved", delivery_id=doubted.delivery_id, number=doubted.number, reported=report.reported)
        said = clean(report.error) if report.error else None
        await self._reports.put(report.model_copy(update={"error": said, "traceparent": tracing.current_traceparent()}))
