"""Gateways as processes of their own, to be asked, killed and stopped."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from common.contracts.vocabulary import MAIL_PROVIDER
from local_stack.readiness import PLAIN_HTTP
from sandbox.control_client import SandboxControl
from tests.support.forked import Forked

READY_SECONDS = 20


@dataclass
class Gateway:
    """One running process of a gateway service."""

    provider: str
    process: Forked
    log: Path

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    async def http(self, path: str) -> httpx.Response:
        [port] = [line["port"] for line in self.logged() if line["event"] == "process.started"]
        async with httpx.AsyncClient(trust_env=False, verify=PLAIN_HTTP) as client:
            return await client.get(f"http://127.0.0.1:{port}{path}")

    async def ready(self) -> None:
        """Return once it says so."""
        async with asyncio.timeout(READY_SECONDS):
            while True:
                if any(line["event"] == "process.started" for line in self.logged()):
                    answer = await self.http("/readyz")
                    if answer.status_code == 200:
                        return
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.05)

    async def killed(self) -> None:
        self.process.kill()
        await self._ended()

    async def stopped(self) -> int:
        """End it with SIGTERM; answers its exit status."""
        self.process.terminate()
        return await self._ended()

    async def _ended(self) -> int:
        return await asyncio.to_thread(self.process.wait)


async def account(provider: str, sandbox: SandboxControl) -> dict[str, str]:
    """The settings that point a gateway at the sandbox, with one sender."""
    if provider == MAIL_PROVIDER:
        host, port = await sandbox.mail_address()
        address = {"MAIL_HOST": host, "MAIL_PORT": str(port), "MAIL_ENCRYPTION": "none"}
        return {**address, "MAIL_FROM_ADDRESS": "kabar@example.com"}
    if provider == "fonnte":
        return {"FONNTE_API_TOKEN": "sandbox-fonnte-token", "FONNTE_API_URL": f"{sandbox.fonnte_url}/send"}
    return {
        "WABLAS_API_TOKEN": "sandbox-wablas-token",
        "WABLAS_SECRET_KEY": "sandbox-wablas-secret",
        "WABLAS_API_URL": sandbox.wablas_url,
    }


@asynccontextmanager
async def running_gateway(
    provider: str, *, rabbitmq_url: str, mongodb_url: str, log: Path, settings: dict[str, str]
) -> AsyncIterator[Gateway]:
    """Start one and wait until it is ready; it is killed on leaving unless it has ended."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("WHATSAPP_", "KABAR_", "MAIL_"))
    }
    addresses = {"RABBITMQ_URL": rabbitmq_url, "MONGODB_URL": mongodb_url, "KABAR_HTTP_PORT": "0"}
    process = Forked(f"gateway_{provider}", {**environment, **addresses, **settings}, log)
    gateway = Gateway(provider, process, log)
    try:
        await gateway.ready()
        yield gateway
    finally:
        if process.returncode is None:
            await gateway.killed()
