"""What became of an attempt is found out where the provider can be asked, and a message held back is taken back."""

from datetime import UTC, datetime, timedelta

import pytest

from common.contracts.event import Event
from common.contracts.events import (
    AttemptRequest,
    AttemptsRequested,
    DeliveriesReported,
    DoubtedAttempt,
    EnquiriesRequested,
    Report,
    Reported,
)
from common.contracts.vocabulary import AttemptState
from common.topology.declarations import ATTEMPTS, REPORTS
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.bus import Received, connected, eventually
from tests.support.gateways.dispatching import Dispatching


def about(asked: AttemptsRequested, message_id: str | None = None) -> DoubtedAttempt:
    [request] = asked.attempts
    assert isinstance(request, AttemptRequest)
    return DoubtedAttempt(
        delivery_id=request.delivery_id, number=request.number, sender=asked.sender, provider_message_id=message_id
    )


async def enquire(dispatcher: Dispatching, *doubted: DoubtedAttempt, last: bool = True, seconds: float = 30) -> None:
    await dispatcher.broker.publish(
        ATTEMPTS,
        EnquiriesRequested(
            provider=dispatcher.provider,
            deadline=datetime.now(UTC) + timedelta(seconds=seconds),
            attempts=list(doubted),
            last=last,
        ),
    )


def reports(received: Received) -> list[Report]:
    return [one for event in received.events if isinstance(event, DeliveriesReported) for one in event.reports]


@pytest.mark.parametrize("provider", ["wablas"])
async def test_wablas_is_asked_by_our_reference_until_its_report_has_the_message(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, rabbitmq_url: str
) -> None:
    await sandbox.hang("wablas", accepted=True, times=1)
    await sandbox.change_variants("wablas", report_lag_seconds=600)
    await start_gateway()
    asked = await dispatcher.ask()
    [outcome] = await dispatcher.finished(asked)
    assert outcome.state is AttemptState.UNKNOWN
    received = Received()
    async with connected(rabbitmq_url, (REPORTS, Event, received)):
        calls = len(await sandbox.calls("wablas"))
        await enquire(dispatcher, about(asked), last=False)
        await sandbox.calls("wablas", at_least=calls + 1)
        await sandbox.change_variants("wablas", report_lag_seconds=0)
        await enquire(dispatcher, about(asked))
        await eventually(lambda: bool(reports(received)))
    [report] = reports(received)
    [message] = await sandbox.accepted("wablas")
    assert (report.reported, report.message_id) == (Reported.SENT, message.id)
    assert report.reference == f"{asked.attempts[0].delivery_id}.1"


@pytest.mark.parametrize("provider", ["fonnte"])
async def test_fonnte_takes_back_what_it_still_holds_and_only_at_the_last_moment(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, rabbitmq_url: str
) -> None:
    await sandbox.set_pace("fonnte", seconds=600)
    await start_gateway()
    await dispatcher.attempt("6281200000002")  # goes out first, and the next one waits
    await sandbox.truncate("fonnte", times=1)
    asked = await dispatcher.ask()
    [outcome] = await dispatcher.finished(asked)
    held = (await sandbox.accepted("fonnte"))[-1]
    received = Received()
    async with connected(rabbitmq_url, (REPORTS, Event, received)):
        await enquire(dispatcher, about(asked, held.id), last=False)
        await enquire(dispatcher, about(asked, None))
        await enquire(dispatcher, about(asked, held.id))
        await eventually(lambda: bool(reports(received)))
    [report] = reports(received)
    assert (report.reported, report.reference) == (Reported.NOT_SENT, f"{asked.attempts[0].delivery_id}.1")
    assert (await sandbox.accepted("fonnte"))[-1].state == "cancelled"
    assert outcome.provider_message_id == held.id


@pytest.mark.parametrize("provider", ["fonnte"])
async def test_the_id_in_half_an_answer_is_kept(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await sandbox.truncate("fonnte", times=1)
    await start_gateway()
    outcome = await dispatcher.attempt()
    [message] = await sandbox.accepted("fonnte")
    assert (outcome.state, outcome.provider_message_id) == (AttemptState.UNKNOWN, message.id)


async def test_after_its_deadline_nothing_is_asked(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, rabbitmq_url: str
) -> None:
    await start_gateway()
    asked = await dispatcher.ask()
    await dispatcher.finished(asked)
    received = Received()
    before = len(await sandbox.calls(dispatcher.provider))
    async with connected(rabbitmq_url, (REPORTS, Event, received)):
        await enquire(dispatcher, about(asked, "1"), seconds=-1)
        stranger = DoubtedAttempt(delivery_id="dlv_x", number=1, sender="nobody-1", provider_message_id="1")
        await enquire(dispatcher, stranger)
        await dispatcher.attempt("6281200000003")
    assert len(await sandbox.calls(dispatcher.provider)) == before + 1
    assert not reports(received)
