"""Where providers are to tell us what became of messages; the sandbox is told so itself."""

import time
from collections.abc import Mapping
from typing import Any

import httpx
from pymongo import MongoClient

from local_stack.access import Access
from local_stack.mongodb import DATABASE

_PROVIDERS = ("fonnte", "wablas")
_PATIENCE_SECONDS = 10.0


def webhook_addresses(access: Access, configured: str | None) -> dict[str, str]:
    """The address each provider is given; empty when the secret is not there in time."""
    secret = configured.partition("\n")[0].strip() if configured else _kept(access.mongodb_url)
    return {name: f"{access.url}/webhooks/{name}/{secret}" for name in _PROVIDERS} if secret else {}


def tell_sandbox(sandbox_url: str, addresses: Mapping[str, str]) -> None:
    """Have the simulated providers post there."""
    for name, address in addresses.items():
        answer = httpx.put(f"{sandbox_url}/control/webhooks/{name}", json={"url": address}, trust_env=False)
        answer.raise_for_status()


def _kept(mongodb_url: str) -> str | None:
    """The secret that api-gateway makes at its first start."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    with MongoClient[dict[str, Any]](mongodb_url) as client:
        secrets = client.get_default_database(DATABASE)["secrets"]
        while (found := secrets.find_one({"_id": "webhook"})) is None:
            if time.monotonic() > deadline:
                return None
            time.sleep(0.1)
    return str(found["value"])
