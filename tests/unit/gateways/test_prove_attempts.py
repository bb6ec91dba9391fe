"""An attempt is asked about while that can still change what is decided, and what is not asked is said."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

from structlog.testing import capture_logs

from common.contracts.events import DoubtedAttempt, EnquiriesRequested, Report
from common.kernel.clock import Clock
from gateway.application.prove_attempts import ROUTINE_SECONDS, ProveAttempts
from gateway.domain.account import Account
from gateway.domain.dialect import Call
from gateway_wablas.domain.enquiries import WablasEnquiries
from tests.support.gateways.attempting import TickingClock

SENDER = "wablas-1"
CLOCK = TickingClock()


class Reports:
    def __init__(self) -> None:
        self.kept: list[Report] = []

    def put(self, report: Report) -> asyncio.Future[None]:
        self.kept.append(report)
        safe: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        safe.set_result(None)
        return safe


class Provider:
    """Its report holds every reference; `before_answering` is awaited with the reference asked for."""

    def __init__(self, before_answering: Callable[[str], Awaitable[None]] | None = None) -> None:
        self.asked: list[str] = []
        self._before_answering = before_answering

    async def ask(self, call: Call) -> Mapping[str, Any]:
        reference = call.url.rpartition("=")[2]
        self.asked.append(reference)
        if self._before_answering:
            await self._before_answering(reference)
        return {"message": [{"id": f"m-{reference}", "ref_id": reference, "status": "sent"}]}


def proving(provider: Provider, reports: Reports, clock: Clock = CLOCK) -> ProveAttempts:
    accounts = {SENDER: Account(SENDER, "TOKEN.SECRET")}
    enquiries = WablasEnquiries("https://jogja.wablas.com")
    return ProveAttempts(accounts, asking=provider, enquiries=enquiries, reports=reports, clock=clock)


def enquiries(*names: str, last: bool = False, seconds: float = 30) -> EnquiriesRequested:
    attempts = [DoubtedAttempt(delivery_id=name, number=1, sender=SENDER) for name in names]
    deadline = CLOCK.now() + timedelta(seconds=seconds)
    return EnquiriesRequested(provider="wablas", deadline=deadline, attempts=attempts, last=last)


async def test_what_is_too_late_to_be_asked_is_said_once_with_its_count() -> None:
    provider, reports = Provider(), Reports()
    with capture_logs() as lines:
        await proving(provider, reports)(enquiries("a", "b", "c", last=True, seconds=0))
    assert not provider.asked
    assert [(line["event"], line["last"], line["not_asked"]) for line in lines] == [("enquiries.too_late", True, 3)]


async def test_what_is_proved_is_reported() -> None:
    provider, reports = Provider(), Reports()
    await proving(provider, reports)(enquiries("a", "b"))
    assert sorted(report.reference or "" for report in reports.kept) == ["a.1", "b.1"]


async def test_a_silent_provider_leaves_room_and_time_for_last_enquiries() -> None:
    async def silent(reference: str) -> None:
        if reference.startswith("routine"):
            await asyncio.Event().wait()

    provider, reports = Provider(silent), Reports()
    prove = proving(provider, reports)
    routine = asyncio.ensure_future(prove(enquiries(*(f"routine-{index}" for index in range(50)))))
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await prove(enquiries("a", "b", last=True, seconds=2))
    assert sorted(report.reference or "" for report in reports.kept) == ["a.1", "b.1"]
    async with asyncio.timeout(ROUTINE_SECONDS * 2 + 1):
        await routine


async def test_no_answer_is_waited_for_beyond_the_deadline() -> None:
    async def silent(_: str) -> None:
        await asyncio.Event().wait()

    async with asyncio.timeout(2):
        await proving(Provider(silent), Reports())(enquiries("a", last=True, seconds=0.2))
