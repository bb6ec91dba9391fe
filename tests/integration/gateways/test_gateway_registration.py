"""A gateway says which senders it has, and keeps saying it."""

import asyncio

from common.mongo.connection import Document
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.gateways.dispatching import Dispatching


async def senders(dispatcher: Dispatching) -> dict[str, Document]:
    return {document["_id"]: document async for document in dispatcher.mongo["senders"].find()}


async def test_each_token_is_a_sender_that_is_seen_every_second(
    start_gateway: StartGateway, dispatcher: Dispatching, provider: str
) -> None:
    await start_gateway(**{f"{provider.upper()}_API_TOKEN": "first-token,second-token"})
    async with asyncio.timeout(10):
        while len(await senders(dispatcher)) < 2:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    before = await senders(dispatcher)
    assert set(before) == {f"{provider}-1", f"{provider}-2"}
    assert {document["provider"] for document in before.values()} == {provider}
    assert {document["max_text_chars"] for document in before.values()} == {4096 if provider == "fonnte" else 1024}
    after = await beaten(dispatcher, before)
    again = await beaten(dispatcher, after)
    for name, document in before.items():
        assert 1.5 < (again[name]["gateway_seen_at"] - document["gateway_seen_at"]).total_seconds() < 3.5


async def beaten(dispatcher: Dispatching, before: dict[str, Document]) -> dict[str, Document]:
    """The senders once each was seen again."""
    async with asyncio.timeout(5):
        while True:
            after = await senders(dispatcher)
            if all(after[name]["gateway_seen_at"] > before[name]["gateway_seen_at"] for name in before):
                return after
            await asyncio.sleep(0.02)


async def test_the_quota_an_answer_told_is_kept(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, provider: str
) -> None:
    await start_gateway()
    await sandbox.set_quota(provider, 41)
    await dispatcher.attempt()
    async with asyncio.timeout(5):
        while "quota_remaining" not in (document := (await senders(dispatcher)).get(dispatcher.sender, {})):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.05)
    assert document["quota_remaining"] == 40
    assert document["quota_at"] is not None


async def test_without_a_token_it_registers_nothing_and_is_ready(
    start_gateway: StartGateway, dispatcher: Dispatching, provider: str
) -> None:
    gateway = await start_gateway(**{f"{provider.upper()}_API_TOKEN": ""})
    await asyncio.sleep(1.5)
    assert await senders(dispatcher) == {}
    assert (await gateway.http("/readyz")).status_code == 200


async def test_it_is_ready_once_others_know_of_its_senders(
    start_gateway: StartGateway, dispatcher: Dispatching, provider: str
) -> None:
    gateway = await start_gateway()
    while (ready := await gateway.http("/readyz")).status_code != 200:  # noqa: ASYNC110 - another process
        await asyncio.sleep(0.02)
    assert ready.json()["checks"]["senders"] == "ok"
    assert set(await senders(dispatcher)) == {f"{provider}-1"}


async def test_its_metrics_count_attempts_by_outcome(
    start_gateway: StartGateway, dispatcher: Dispatching, provider: str
) -> None:
    gateway = await start_gateway()
    await dispatcher.attempt()
    metrics = (await gateway.http("/metrics")).text
    assert f'call_finished_total{{failure="",provider="{provider}",state="succeeded"}} 1.0' in metrics
    assert f'attempt_duration_seconds_count{{provider="{provider}"}} 1.0' in metrics
