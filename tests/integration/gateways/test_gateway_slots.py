"""Calls are made at the moment the gate granted, measured where the provider sees them."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from common.contracts.events import AttemptsRequested
from common.contracts.vocabulary import AttemptState
from common.kernel.clock import to_milliseconds
from common.mongo.gate import Granted, Limits, MongoGate, Wait
from gateway.application.keep_slot import MOST_EXCESS
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import EVERY, StartGateway
from tests.support.gateways.dispatching import Dispatching

pytestmark = EVERY
GAP = 0.2
CLOCK_GRACE = 0.005


async def paced(dispatcher: Dispatching, gate: MongoGate, calls: int) -> list[AttemptsRequested]:
    """Ask for so many calls, each as soon as the gate grants it."""
    asked: list[AttemptsRequested] = []
    while len(asked) < calls:
        match await gate.grant(dispatcher.sender, Limits(gap=GAP)):
            case Wait(seconds=seconds):
                await asyncio.sleep(seconds)
            case Granted(slot=slot):
                asked.append(await dispatcher.ask(slot=slot, gap=GAP))
    return asked


async def test_two_calls_are_never_closer_than_the_gap_with_any_number_of_gateways(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    for _ in range(2):
        await start_gateway(WHATSAPP_READ_TIMEOUT="10")
    gate = MongoGate(dispatcher.mongo["senders"])
    for asked in await paced(dispatcher, gate, 40):
        await dispatcher.finished(asked)
    moments = [call.received_at for call in await sandbox.calls()]
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    assert {outcome.state for outcome in dispatcher.outcomes} <= {AttemptState.SUCCEEDED, AttemptState.MISSED}
    assert len(moments) >= 38
    assert min(gaps) >= GAP - CLOCK_GRACE
    assert sorted(gaps)[len(gaps) // 2] < GAP + 0.015


async def test_a_late_paced_call_moves_the_gate_so_that_the_next_keeps_its_distance(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    gate = MongoGate(dispatcher.mongo["senders"])
    granted = await gate.grant(dispatcher.sender, Limits(gap=5))
    assert isinstance(granted, Granted)
    await asyncio.sleep(0.5)
    asked = await dispatcher.ask(slot=granted.slot, gap=5.0)
    [outcome] = await dispatcher.finished(asked)
    assert outcome.state is AttemptState.SUCCEEDED
    [call] = await sandbox.calls()
    sender = await dispatcher.mongo["senders"].find_one({"_id": dispatcher.sender})
    assert sender is not None
    assert sender["gate"]["next_at"].timestamp() <= call.received_at + 5 + MOST_EXCESS + CLOCK_GRACE
    assert sender["gate"]["next_at"].timestamp() > granted.slot.timestamp() + 5.4


async def test_a_late_paced_call_whose_successor_is_granted_follows_it(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    gate = MongoGate(dispatcher.mongo["senders"])
    limits = Limits(gap=GAP)
    first = await gate.grant(dispatcher.sender, limits)
    assert isinstance(first, Granted)
    await asyncio.sleep(GAP)
    second = await gate.grant(dispatcher.sender, limits)
    assert isinstance(second, Granted)
    [outcome] = await dispatcher.finished(await dispatcher.ask(slot=first.slot, gap=GAP))
    assert outcome.state is AttemptState.SUCCEEDED
    [call] = await sandbox.calls()
    assert call.received_at >= second.slot.timestamp() + GAP - CLOCK_GRACE


async def test_a_call_waits_for_its_slot(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    now = to_milliseconds(datetime.now(UTC))
    [outcome] = await dispatcher.finished(await dispatcher.ask(slot=now + timedelta(milliseconds=300)))
    assert outcome.state is AttemptState.SUCCEEDED
    [call] = await sandbox.calls()
    assert 0.3 <= call.received_at - now.timestamp() < 0.4


async def test_without_a_gap_a_call_may_be_a_little_late_and_one_that_is_later_is_dated_so(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    gate = MongoGate(dispatcher.mongo["senders"])
    slots: list[datetime] = []
    for late in (0.1, 0.4):
        granted = await gate.grant(dispatcher.sender, Limits(per_minute=10))
        assert isinstance(granted, Granted)
        slots.append(granted.slot)
        await asyncio.sleep(late)
        [outcome] = await dispatcher.finished(await dispatcher.ask(slot=granted.slot))
        assert outcome.state is AttemptState.SUCCEEDED
    calls = await sandbox.calls()
    sender = await dispatcher.mongo["senders"].find_one({"_id": dispatcher.sender})
    assert sender is not None
    first, second = [entry["at"] for entry in sender["gate"]["minute"]]
    assert first == slots[0]
    assert slots[1].timestamp() + 0.4 < second.timestamp() <= calls[1].received_at + CLOCK_GRACE


async def test_a_late_call_whose_grant_nobody_knows_any_more_is_missed(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    [outcome] = await dispatcher.finished(await dispatcher.ask(slot=datetime.now(UTC) - timedelta(seconds=70)))
    assert outcome.state is AttemptState.MISSED
    assert await sandbox.calls() == []


async def test_a_slow_connection_costs_the_gap_nothing(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    """The first call has to connect, the others find the connection open: the distance is the same."""
    await start_gateway()
    gate = MongoGate(dispatcher.mongo["senders"])
    for asked in await paced(dispatcher, gate, 3):
        await dispatcher.finished(asked)
    first, second, *_ = [call.received_at for call in await sandbox.calls()]
    assert second - first >= GAP - CLOCK_GRACE
