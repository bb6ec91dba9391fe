from typing import TYPE_CHECKING

import httpx
import pytest

from local_stack.readiness import PLAIN_HTTP
from sandbox.running import running_sandbox
from tests.contract.sandbox.clients import FonnteClient, WablasClient

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.control_client import SandboxControl


@pytest.fixture(scope="session")
async def shared_sandbox() -> "AsyncIterator[SandboxControl]":
    async with running_sandbox() as control:
        yield control


@pytest.fixture
async def sandbox(shared_sandbox: "SandboxControl") -> "SandboxControl":
    await shared_sandbox.reset()
    return shared_sandbox


@pytest.fixture
async def fonnte(sandbox: "SandboxControl") -> "AsyncIterator[FonnteClient]":
    async with httpx.AsyncClient(base_url=sandbox.fonnte_url, trust_env=False, timeout=10, verify=PLAIN_HTTP) as http:
        yield FonnteClient(http)


@pytest.fixture
async def wablas(sandbox: "SandboxControl") -> "AsyncIterator[WablasClient]":
    async with httpx.AsyncClient(base_url=sandbox.wablas_url, trust_env=False, timeout=10, verify=PLAIN_HTTP) as http:
        yield WablasClient(http)
