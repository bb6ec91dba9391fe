"""An attempt is called by whoever started it, once, and by nobody when it may not be started any more."""

import asyncio

from common.contracts.vocabulary import AttemptState, FailureClass
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import EVERY, StartGateway
from tests.support.gateways.dispatching import HEALTHY, Dispatching

pytestmark = EVERY


async def test_a_revoked_attempt_is_not_called_and_not_reported(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    asked = await dispatcher.request(HEALTHY, "6281200000002")
    revoked = asked.attempts[0].delivery_id
    await dispatcher.mongo["deliveries"].update_one({"_id": revoked}, {"$set": {"attempt.state": "revoked"}})
    await dispatcher.publish(asked)
    await dispatcher.finished(asked, count=1)
    await dispatcher.attempt("6281200000003")
    assert [call.recipient for call in await sandbox.calls()] == [
        dispatcher.address("6281200000002"),
        dispatcher.address("6281200000003"),
    ]
    assert [outcome.delivery_id for outcome in dispatcher.of(asked)] == [asked.attempts[1].delivery_id]
    assert (await dispatcher.delivery(asked))["attempt"]["state"] == "revoked"


async def test_an_attempt_claimed_anew_is_not_called_for_the_old_claim(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    asked = await dispatcher.request()
    await dispatcher.mongo["deliveries"].update_one(
        {"_id": asked.attempts[0].delivery_id}, {"$set": {"attempt.claim": "claim_of_another"}}
    )
    await dispatcher.publish(asked)
    await dispatcher.attempt("6281200000003")
    assert [call.recipient for call in await sandbox.calls()] == [dispatcher.address("6281200000003")]


async def test_past_its_deadline_an_attempt_is_left_to_be_revoked(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    asked = await dispatcher.ask(deadline_seconds=-0.01)
    await dispatcher.attempt("6281200000003")
    assert [call.recipient for call in await sandbox.calls()] == [dispatcher.address("6281200000003")]
    assert (await dispatcher.delivery(asked))["attempt"]["state"] == "requested"


async def test_an_envelope_published_twice_is_called_once(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway()
    await start_gateway()
    await sandbox.answer_late(gateway.provider, seconds=0.3)
    asked = await dispatcher.request(*[HEALTHY] * 25)
    await asyncio.gather(*(dispatcher.publish(asked) for _ in range(6)))
    await dispatcher.finished(asked)
    await dispatcher.attempt()
    assert len(dispatcher.of(asked)) == 25
    assert len(await sandbox.calls()) == 26


async def test_an_unknown_sender_is_an_auth_failure_without_a_call(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway()
    asked = await dispatcher.ask(sender=f"{gateway.provider}-7")
    [outcome] = await dispatcher.finished(asked)
    assert (outcome.state, outcome.failure) == (AttemptState.FAILED, FailureClass.AUTH)
    assert outcome.error == f"no token configured for {gateway.provider}-7"
    assert await sandbox.calls() == []


async def test_what_a_killed_gateway_had_started_is_unknown_and_never_called_again(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    doomed = await start_gateway(WHATSAPP_READ_TIMEOUT="30")
    await sandbox.hang(doomed.provider, accepted=True, recipient=dispatcher.address("6281200000002"))
    asked = await dispatcher.ask("6281200000002", "6281200000002", HEALTHY)
    await dispatcher.finished(asked, count=1)
    async with asyncio.timeout(10):
        while len(await sandbox.calls()) < 3:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.02)
    await doomed.killed()
    await start_gateway()
    orphans = [one for one in await dispatcher.finished(asked, count=3) if one.state is AttemptState.UNKNOWN]
    # What had succeeded was reported before; reporting it again as unknown is harmless, calling it again is not.
    assert {one.delivery_id for one in orphans} >= {request.delivery_id for request in asked.attempts[:2]}
    assert {one.error for one in orphans} == {"the gateway that started it is gone"}
    assert len(await sandbox.calls()) == 3


async def test_what_a_killed_gateway_had_not_started_is_called_by_the_next(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    doomed = await start_gateway()
    await doomed.killed()
    asked = await dispatcher.ask()
    await start_gateway()
    [outcome] = await dispatcher.finished(asked)
    assert outcome.state is AttemptState.SUCCEEDED
    assert len(await sandbox.calls()) == 1
