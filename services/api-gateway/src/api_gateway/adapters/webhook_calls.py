"""Calls of portals: resolved once, checked, and made to the very address that was checked."""

import asyncio
import socket
import ssl
from urllib.parse import urlsplit

import httpx

from api_gateway.adapters.names import Names
from api_gateway.application.tell_portals import Called
from api_gateway.domain.webhook_addresses import reachable_by_all

CALL_SECONDS = 5.0
"""Resolving, connecting, sending and the answer's head together."""
AGENT = "Kabar-Webhooks/1"


class Forbidden(Exception):  # noqa: N818 - failures are adjectives here
    """Nothing behind this name may be called."""


class WebhookCalls:
    """`trusted` are the authorities believed, by default the usual ones."""

    def __init__(
        self, *, allow_private: bool, trusted: ssl.SSLContext | None = None, names: Names | None = None
    ) -> None:
        self._allow_private = allow_private
        self._names = names or Names()
        self._trusted = trusted or ssl.create_default_context()

    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Called:
        try:
            async with asyncio.timeout(CALL_SECONDS):
                return Called(await self._post(url, body, headers))
        except (OSError, Forbidden, httpx.HTTPError, httpx.InvalidURL, ValueError) as error:  # a timeout is an OSError
            return Called(None, _why(error))

    async def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        address = await self._resolve(host, port)
        target = httpx.URL(url).copy_with(host=address)
        sent = {"content-type": "application/json", "user-agent": AGENT, **headers, "host": parts.netloc}
        # A client of its own: a connection to one address is never used for another name.
        async with httpx.AsyncClient(verify=self._trusted, trust_env=False, timeout=CALL_SECONDS) as client:
            request = client.build_request("POST", target, content=body, headers=sent)
            request.extensions["sni_hostname"] = host
            answer = await client.send(request, stream=True, follow_redirects=False)
            await answer.aclose()  # what it says beyond its status is nobody's business
            return answer.status_code

    async def _resolve(self, host: str, port: int) -> str:
        allowed = [
            one for one in await self._names.addresses(host, port) if self._allow_private or reachable_by_all(one)
        ]
        if not allowed:
            raise Forbidden("its address is on a private network, where nothing is called")
        return allowed[0]


def _why(error: Exception) -> str:
    """In our words: what the other side says may hold anything."""
    cause: BaseException | None = error
    while cause is not None:
        match cause:
            case Forbidden():
                return str(cause)
            case TimeoutError() | httpx.TimeoutException():
                return f"no answer in {CALL_SECONDS:g} s"
            case ssl.SSLError():
                return "its certificate is not valid"
            case ConnectionRefusedError():
                return "the connection was refused"
            case socket.gaierror():
                return "its name leads nowhere"
        cause = cause.__cause__ or cause.__context__
    return f"it cannot be called: {type(error).__name__}"
