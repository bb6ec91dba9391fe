"""The same suite for every gateway: real processes, a real broker, a real database, the sandbox over sockets."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.control_client import SandboxControl
from sandbox.running import running_sandbox
from tests.support.gateways.dispatching import Dispatching, dispatching
from tests.support.gateways.running import Gateway, account, running_gateway

READ_TIMEOUT = 1.0
EVERY = pytest.mark.parametrize("provider", ["fonnte", "wablas", "email"], indirect=True)
"""Of a file: its facts hold for e-mail, too."""


@pytest.fixture(params=["fonnte", "wablas"])
def provider(request: pytest.FixtureRequest) -> str:
    """A WhatsApp provider; a file that says `EVERY` is run for e-mail, too."""
    return str(request.param)


@pytest.fixture(scope="session")
async def _one_sandbox() -> AsyncIterator[SandboxControl]:
    async with running_sandbox() as control:
        yield control


@pytest.fixture
async def sandbox(_one_sandbox: SandboxControl) -> SandboxControl:
    await _one_sandbox.reset()
    return _one_sandbox


@pytest.fixture
async def dispatcher(provider: str, rabbitmq_url: str, emptied_mongodb_url: str) -> AsyncIterator[Dispatching]:
    async with dispatching(provider, rabbitmq_url=rabbitmq_url, mongodb_url=emptied_mongodb_url) as ready:
        yield ready


@dataclass
class StartGateway:
    """Starts gateways of the provider under test, as many as a test wants."""

    stack: AsyncExitStack
    provider: str
    rabbitmq_url: str
    mongodb_url: str
    sandbox: SandboxControl
    directory: Path
    started: int = 0

    async def __call__(self, *, rabbitmq_url: str | None = None, **settings: str) -> Gateway:
        """One more process; `settings` override those of a healthy one with a read timeout of a second."""
        self.started += 1
        wanted = {"WHATSAPP_READ_TIMEOUT": str(READ_TIMEOUT), **settings}
        wanted.setdefault("KABAR_MAIL_READ_TIMEOUT", wanted["WHATSAPP_READ_TIMEOUT"])
        return await self.stack.enter_async_context(
            running_gateway(
                self.provider,
                rabbitmq_url=rabbitmq_url or self.rabbitmq_url,
                mongodb_url=self.mongodb_url,
                log=self.directory / f"gateway-{self.started}.log",
                settings={**await account(self.provider, self.sandbox), **wanted},
            )
        )


@pytest.fixture
async def start_gateway(
    dispatcher: Dispatching, rabbitmq_url: str, emptied_mongodb_url: str, sandbox: SandboxControl, tmp_path: Path
) -> AsyncIterator[StartGateway]:
    """Starts gateways, once the queues are emptied; whatever still runs at the end of the test is killed."""
    async with AsyncExitStack() as stack:
        yield StartGateway(stack, dispatcher.provider, rabbitmq_url, emptied_mongodb_url, sandbox, tmp_path)
