"""Every way a provider can answer, over a real socket, comes back as exactly one outcome."""

from collections.abc import Awaitable, Callable

import pytest

from common.contracts.vocabulary import AttemptState, FailureClass
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.gateways.dispatching import HEALTHY, Dispatching

Misbehave = Callable[[SandboxControl, str], Awaitable[object]]


async def test_an_accepted_message_succeeds_with_its_id_and_quota(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway()
    asked = await dispatcher.ask()
    [outcome] = await dispatcher.finished(asked)
    [message] = await sandbox.accepted()
    assert outcome.state is AttemptState.SUCCEEDED
    assert (outcome.provider_message_id, message.recipient, message.text) == (message.id, HEALTHY, "Halo")
    assert outcome.quota_remaining is not None
    assert (outcome.sender, outcome.number, outcome.error) == (dispatcher.sender, 1, None)
    assert outcome.started_at is not None
    assert outcome.started_at <= outcome.finished_at
    if gateway.provider == "wablas":
        assert message.ref_id == asked.attempts[0].reference
    delivery = await dispatcher.delivery(asked)
    assert delivery["attempt"]["state"] == "started"
    assert delivery["revision"] == 2
    assert delivery["wake_at"] > outcome.finished_at
    [line] = [line for line in gateway.logged() if line["event"] == "attempt.succeeded"]
    assert line["delivery_id"] == outcome.delivery_id
    assert HEALTHY not in gateway.log.read_text()


async def test_a_group_is_reached(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    await start_gateway()
    outcome = await dispatcher.attempt("120363000000000001@g.us")
    assert outcome.state is AttemptState.SUCCEEDED
    [message] = await sandbox.accepted()
    assert message.recipient.startswith("120363000000000001")


async def test_a_refusal_names_its_class_and_what_was_said(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway()
    await sandbox.disconnect(gateway.provider)
    outcome = await dispatcher.attempt()
    assert (outcome.state, outcome.failure) == (AttemptState.FAILED, FailureClass.DISCONNECTED)
    assert outcome.error is not None
    assert "disconnected" in outcome.error
    await sandbox.reconnect(gateway.provider)
    await sandbox.set_quota(gateway.provider, 0)
    assert (await dispatcher.attempt()).failure is FailureClass.QUOTA
    assert await sandbox.accepted() == []


async def test_a_wrong_token_is_an_auth_failure_that_does_not_repeat_the_token(
    start_gateway: StartGateway, dispatcher: Dispatching, provider: str
) -> None:
    gateway = await start_gateway(**{f"{provider.upper()}_API_TOKEN": "token-of-nobody"})
    outcome = await dispatcher.attempt()
    assert (outcome.state, outcome.failure) == (AttemptState.FAILED, FailureClass.AUTH)
    assert "token-of-nobody" not in gateway.log.read_text()


TRANSPORT = FailureClass.TRANSPORT
FAULTS: dict[str, tuple[Misbehave, FailureClass | None]] = {
    "hangs": (lambda sandbox, name: sandbox.hang(name), None),
    "accepts and hangs": (lambda sandbox, name: sandbox.hang(name, accepted=True), None),
    "resets": (lambda sandbox, name: sandbox.reset_connection(name), None),
    "accepts and resets": (lambda sandbox, name: sandbox.reset_connection(name, accepted=True), None),
    "closes": (lambda sandbox, name: sandbox.drop_before_acceptance(name), None),
    "accepts and closes": (lambda sandbox, name: sandbox.drop_after_acceptance(name), None),
    "cuts its answer off": (lambda sandbox, name: sandbox.cut_off(name), None),
    "answers half of the JSON": (lambda sandbox, name: sandbox.truncate(name), None),
    "answers a page": (lambda sandbox, name: sandbox.respond(name, accepted=True), None),
    "answers nothing": (lambda sandbox, name: sandbox.respond(name, page="empty", accepted=True), None),
    "answers later than we wait": (lambda sandbox, name: sandbox.answer_late(name, seconds=2), None),
    "crashes": (lambda sandbox, name: sandbox.respond(name, http_status=500, page="json", accepted=True), None),
    "times out behind its proxy": (lambda sandbox, name: sandbox.respond(name, http_status=504, accepted=True), None),
    "is not reached by its proxy": (lambda sandbox, name: sandbox.respond(name, http_status=502), TRANSPORT),
    "is unavailable": (lambda sandbox, name: sandbox.respond(name, http_status=503), TRANSPORT),
    "has moved": (lambda sandbox, name: sandbox.respond(name, http_status=302), FailureClass.UNCLASSIFIED),
    "is not there": (lambda sandbox, name: sandbox.respond(name, http_status=404), FailureClass.UNCLASSIFIED),
    "throttles": (lambda sandbox, name: sandbox.respond(name, http_status=429), TRANSPORT),
}


async def test_each_fault_has_one_outcome_after_one_call(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway()
    for fault, (misbehave, failure) in FAULTS.items():
        await sandbox.reset()
        await misbehave(sandbox, gateway.provider)
        outcome = await dispatcher.attempt()
        expected = AttemptState.UNKNOWN if failure is None else AttemptState.FAILED
        assert (outcome.state, outcome.failure) == (expected, failure), fault
        assert outcome.error, fault
        assert len(await sandbox.calls()) == 1, fault


async def test_nobody_listening_is_a_failure_before_acceptance(
    start_gateway: StartGateway, dispatcher: Dispatching, provider: str
) -> None:
    await start_gateway(**{f"{provider.upper()}_API_URL": "http://127.0.0.1:9/send"})
    outcome = await dispatcher.attempt()
    assert (outcome.state, outcome.failure) == (AttemptState.FAILED, FailureClass.TRANSPORT)


async def test_a_slow_call_delays_no_other_of_its_envelope(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway(WHATSAPP_READ_TIMEOUT="30")
    await sandbox.answer_late(gateway.provider, seconds=3, recipient="6281200000002")
    asked = await dispatcher.ask(HEALTHY, "6281200000002", "6281200000003")
    early = await dispatcher.finished(asked, count=2, seconds=2)
    assert {outcome.state for outcome in early} == {AttemptState.SUCCEEDED}
    assert len(await dispatcher.finished(asked)) == 3


async def test_slow_calls_leave_room_for_the_others(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl
) -> None:
    gateway = await start_gateway(WHATSAPP_READ_TIMEOUT="30")
    await sandbox.hang(gateway.provider, recipient="6281200000002")
    for _ in range(20):
        await dispatcher.ask(*[HEALTHY] * 5, "6281200000002")
    healthy = await dispatcher.ask(*[HEALTHY] * 25)
    assert len(await dispatcher.finished(healthy, seconds=10)) == 25


@pytest.mark.parametrize("count", [500])
async def test_many_attempts_each_have_one_call_and_one_outcome(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, count: int
) -> None:
    await start_gateway()
    envelopes = [await dispatcher.ask(*[HEALTHY] * 25) for _ in range(count // 25)]
    for asked in envelopes:
        assert {outcome.state for outcome in await dispatcher.finished(asked)} == {AttemptState.SUCCEEDED}
    assert len(await sandbox.calls()) == count
    assert len(dispatcher.outcomes) == count
