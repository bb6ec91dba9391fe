"""Ending, and losing the broker, cost no outcome."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from common.contracts.vocabulary import AttemptState
from local_stack.servers import PrivateRabbitMQ
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import EVERY, StartGateway
from tests.support.gateways.dispatching import HEALTHY, Dispatching, dispatching
from tests.support.servers import written_down


async def called(sandbox: SandboxControl, count: int = 1) -> None:
    """Return once the provider has been called so often."""
    async with asyncio.timeout(20):
        while len(await sandbox.calls()) < count:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)


async def seen(dispatcher: Dispatching) -> datetime:
    """When the gateway last said that its sender can be used."""
    async with asyncio.timeout(10):
        while (sender := await dispatcher.mongo["senders"].find_one({"_id": dispatcher.sender})) is None:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.02)
    moment: datetime = sender["gateway_seen_at"]
    return moment


@EVERY
async def test_a_call_under_way_ends_before_the_process_does_and_nothing_new_is_taken(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway(WHATSAPP_READ_TIMEOUT="30")
    await seen(dispatcher)
    await sandbox.answer_late(gateway.provider, seconds=3)
    asked = await dispatcher.ask(HEALTHY, HEALTHY)
    await called(sandbox, 2)
    ended = datetime.now(UTC)
    ending = asyncio.create_task(gateway.stopped())
    async with asyncio.timeout(2):
        while not any(line["event"] == "process.stopping" for line in gateway.logged()):  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.02)
    later = await dispatcher.ask()
    assert await asyncio.wait_for(ending, 30) == 0
    assert {outcome.state for outcome in await dispatcher.finished(asked)} == {AttemptState.SUCCEEDED}
    assert dispatcher.of(later) == []
    # Its senders were out from the first moment of its end.
    assert await seen(dispatcher) < ended + timedelta(seconds=0.5)
    await sandbox.disarm()
    await start_gateway()
    assert [outcome.state for outcome in await dispatcher.finished(later)] == [AttemptState.SUCCEEDED]
    assert len(await sandbox.calls()) == 3


async def test_calls_that_take_too_long_are_cut_and_unknown_and_what_waited_behind_them_goes_back(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway(WHATSAPP_READ_TIMEOUT="120")
    await sandbox.hang(gateway.provider)
    hanging = [await dispatcher.ask(*[HEALTHY] * 25) for _ in range(4)]
    await called(sandbox, 100)
    waiting = await dispatcher.ask(*[HEALTHY] * 25)
    began = time.monotonic()
    assert await gateway.stopped() == 0
    assert 15 < time.monotonic() - began < 30
    for asked in hanging:
        outcomes = await dispatcher.finished(asked)
        assert {outcome.state for outcome in outcomes} == {AttemptState.UNKNOWN}
        assert {outcome.error for outcome in outcomes} == {"stopped while waiting for the answer"}
    await sandbox.disarm()
    await start_gateway()
    assert {outcome.state for outcome in await dispatcher.finished(waiting)} == {AttemptState.SUCCEEDED}
    assert len(await sandbox.calls()) == 125


async def test_an_outcome_waits_for_a_broker_that_went_away_after_the_call(
    start_gateway: StartGateway,
    emptied_mongodb_url: str,
    sandbox: SandboxControl,
    private_rabbitmq: Callable[[], PrivateRabbitMQ],
) -> None:
    server = private_rabbitmq()
    gateway = await start_gateway(rabbitmq_url=server.url, WHATSAPP_READ_TIMEOUT="30")
    async with dispatching(gateway.provider, rabbitmq_url=server.url, mongodb_url=emptied_mongodb_url) as dispatcher:
        await dispatcher.attempt()
        await seen(dispatcher)
        await asyncio.to_thread(written_down, server)
        await sandbox.answer_late(gateway.provider, seconds=2)
        asked = await dispatcher.ask()
        await called(sandbox, 2)
        server.kill()
        # Without a way to it, it does not say that its senders can be used.
        async with asyncio.timeout(20):
            while datetime.now(UTC) - await seen(dispatcher) < timedelta(seconds=3):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.05)
        assert gateway.process.returncode is None
        assert (await gateway.http("/readyz")).status_code == 503
        await asyncio.to_thread(server.start)
        [outcome] = await dispatcher.finished(asked)
        assert outcome.state is AttemptState.SUCCEEDED
        async with asyncio.timeout(20):
            while datetime.now(UTC) - await seen(dispatcher) > timedelta(seconds=2):  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.05)
        await sandbox.disarm()
        assert (await dispatcher.attempt()).state is AttemptState.SUCCEEDED
        assert [one.state for one in dispatcher.of(asked)] == [AttemptState.SUCCEEDED]
    assert len(await sandbox.calls()) == 3
