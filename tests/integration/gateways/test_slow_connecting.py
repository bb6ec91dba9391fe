"""A provider that is slow to be connected to still gets every call, at a moment the gate knows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from common.contracts.vocabulary import AttemptState, FailureClass
from common.mongo.connection import Document
from common.mongo.gate import LATENESS, Granted, Limits, MongoGate
from gateway.application.make_attempts import CALL_WITHIN
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.gateways.dispatching import HEALTHY, Dispatching
from tests.support.gateways.running import account
from tests.support.gateways.slow_connecting import SlowConnecting, slow_connecting

CLOCK_GRACE = 0.005
GAP = 10.0
MOST_CALLS = 5
Connecting = Callable[[float], Awaitable[SlowConnecting]]


@pytest.fixture
async def connecting(provider: str, sandbox: SandboxControl, tmp_path: Path) -> AsyncIterator[Connecting]:
    """Stands before the sandbox and takes so many seconds to be connected to."""
    async with AsyncExitStack() as stack:

        async def stand(seconds: float) -> SlowConnecting:
            return await stack.enter_async_context(
                slow_connecting(await account(provider, sandbox), seconds=seconds, directory=tmp_path)
            )

        yield stand


async def granted(dispatcher: Dispatching, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted:
    gate = MongoGate(dispatcher.mongo["senders"])
    answer = await gate.grant(dispatcher.sender, limits, want=want, skip_gap=skip_gap)
    assert isinstance(answer, Granted)
    return answer


async def gate_of(dispatcher: Dispatching) -> Document:
    sender = await dispatcher.mongo["senders"].find_one({"_id": dispatcher.sender})
    assert sender is not None
    gate: Document = sender["gate"]
    return gate


async def test_a_critical_call_is_made_once_and_counts_from_when_it_was_made(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, connecting: Connecting
) -> None:
    front = await connecting(0.5)
    await start_gateway(**front.settings)
    grant = await granted(dispatcher, Limits(gap=GAP, per_minute=MOST_CALLS), skip_gap=True)
    [outcome] = await dispatcher.finished(await dispatcher.ask(slot=grant.slot))
    assert (outcome.state, outcome.error) == (AttemptState.SUCCEEDED, None)
    [call] = await sandbox.calls()
    assert call.received_at - grant.slot.timestamp() >= 0.5
    gate = await gate_of(dispatcher)
    [entry] = gate["minute"]
    assert entry["n"] == 1
    assert -CLOCK_GRACE <= call.received_at - entry["at"].timestamp() <= LATENESS.total_seconds()
    assert (gate["next_at"] - entry["at"]).total_seconds() == GAP
    # The connection was worth its while.
    again = await granted(dispatcher, Limits(gap=GAP, per_minute=MOST_CALLS), skip_gap=True)
    [outcome] = await dispatcher.finished(await dispatcher.ask(slot=again.slot))
    assert outcome.state is AttemptState.SUCCEEDED
    assert front.connected == 1
    assert again.slot in [entry["at"] for entry in (await gate_of(dispatcher))["minute"]]


async def test_calls_that_nothing_paces_are_all_made_and_counted_once(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, connecting: Connecting
) -> None:
    await start_gateway(**(await connecting(0.5)).settings)
    grant = await granted(dispatcher, Limits(per_minute=100), want=20)
    outcomes = await dispatcher.finished(await dispatcher.ask(*[HEALTHY] * 20, slot=grant.slot))
    assert {outcome.state for outcome in outcomes} == {AttemptState.SUCCEEDED}
    calls = await sandbox.calls()
    [entry] = (await gate_of(dispatcher))["minute"]
    assert (len(calls), entry["n"]) == (20, 20)
    assert max(call.received_at for call in calls) <= (entry["at"] + LATENESS).timestamp()


async def test_connecting_has_only_its_own_timeout(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, connecting: Connecting
) -> None:
    await start_gateway(**(await connecting(CALL_WITHIN + 0.5)).settings)
    grant = await granted(dispatcher, Limits(gap=GAP, per_minute=MOST_CALLS), skip_gap=True)
    unlimited, critical = await asyncio.gather(dispatcher.ask(), dispatcher.ask(slot=grant.slot))
    for asked in (unlimited, critical):
        [outcome] = await dispatcher.finished(asked)
        assert (outcome.state, outcome.error) == (AttemptState.SUCCEEDED, None)
    assert len(await sandbox.calls()) == 2


async def test_a_connection_that_was_not_made_in_time_is_a_failure_of_the_provider(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, connecting: Connecting
) -> None:
    await start_gateway(**(await connecting(2.0)).settings, WHATSAPP_CONNECT_TIMEOUT="0.6")
    grant = await granted(dispatcher, Limits(gap=GAP, per_minute=MOST_CALLS), skip_gap=True)
    [outcome] = await dispatcher.finished(await dispatcher.ask(slot=grant.slot))
    assert (outcome.state, outcome.failure) == (AttemptState.FAILED, FailureClass.TRANSPORT)
    assert outcome.error == "no connection in 0.6 s"
    assert await sandbox.calls() == []
