"""A gateway's tokens are replaced while it runs: the next call has the new one."""

from pathlib import Path

import pytest

from common.contracts.vocabulary import AttemptState, FailureClass
from sandbox.control_client import SandboxControl
from tests.integration.gateways.conftest import StartGateway
from tests.support.gateways.dispatching import Dispatching
from tests.support.gateways.running import Gateway
from tests.support.kabar import eventually

TOKENS = {
    "fonnte": ("sandbox-fonnte-token", "sandbox-fonnte-token-2"),
    "wablas": ("sandbox-wablas-token.sandbox-wablas-secret", "sandbox-wablas-token-2.sandbox-wablas-secret-2"),
}


def write(file: Path, text: str) -> None:
    file.write_text(text)


async def said(gateway: Gateway, event: str, *, times: int = 1) -> None:
    """Return once it was logged so often."""

    async def is_logged() -> bool:
        return [line["event"] for line in gateway.logged()].count(event) >= times

    await eventually(is_logged, seconds=30)


@pytest.fixture
def file(provider: str, tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    return directory / f"{provider.upper()}_API_TOKEN"


async def test_the_next_call_has_the_token_that_the_file_holds_now(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, provider: str, file: Path
) -> None:
    first, second = TOKENS[provider]
    write(file, f"{first}\n")
    gateway = await start_gateway(KABAR_SECRETS_DIRECTORY=str(file.parent))
    assert (await dispatcher.attempt()).state is AttemptState.SUCCEEDED
    [before] = await sandbox.accepted()
    write(file, "a token, of nobody\x7f")  # kept out: no header can carry it
    await said(gateway, "secret.refused")
    assert (await dispatcher.attempt()).state is AttemptState.SUCCEEDED
    write(file, second)
    await said(gateway, "secret.taken")
    assert (await dispatcher.attempt()).state is AttemptState.SUCCEEDED
    assert [message.device == before.device for message in await sandbox.accepted()] == [True, True, False]
    write(file, "token-of-nobody")
    await said(gateway, "secret.taken", times=2)
    assert (await dispatcher.attempt()).failure is FailureClass.AUTH
    assert not any(token in gateway.log.read_text() for token in (first, second, "of-nobody", "of nobody"))


async def test_a_second_token_is_a_second_sender(
    start_gateway: StartGateway, dispatcher: Dispatching, sandbox: SandboxControl, provider: str, file: Path
) -> None:
    write(file, TOKENS[provider][0])
    await start_gateway(KABAR_SECRETS_DIRECTORY=str(file.parent))
    write(file, ",".join(TOKENS[provider]))

    async def registered() -> object:
        return await dispatcher.mongo["senders"].find_one({"_id": f"{provider}-2"})

    await eventually(registered, seconds=30)
    asked = await dispatcher.ask(sender=f"{provider}-2")
    [outcome] = await dispatcher.finished(asked)
    assert outcome.state is AttemptState.SUCCEEDED
    assert len(await sandbox.accepted()) == 1
