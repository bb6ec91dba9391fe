"""What the blocking and the asynchronous client are made with."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import httpx

from kabar_client.requests import Call
from kabar_client.retrying import Patience

PAGE = 100
CHUNK_BYTES = 64 * 1024
TIMEOUT_SECONDS = 35.0
"""A direct send is answered within 30 s."""
UPLOAD_SECONDS = 600.0
"""Half a million rows are answered within minutes."""


class Connection:
    """What both clients are made with: where Kabar is, and a token of a person or a key of a service. `timeout` is how
    many seconds Kabar may be silent, `upload_timeout` while rows are uploaded.
    """

    def __init__(
        self, url: str, *, token: str | None = None, api_key: str | None = None, timeout: float = TIMEOUT_SECONDS,
        upload_timeout: float = UPLOAD_SECONDS, patience: Patience = Patience(),  # noqa: B008 - it cannot be changed
    ) -> None:  # fmt: skip
        if (token is None) == (api_key is None):
            raise ValueError("give either a token or an api_key")
        if not _is_address(url):
            raise ValueError(f"url: {url!r} is no address like http://127.0.0.1:8080")
        if not re.fullmatch("[!-~]+", token or str(api_key)):
            raise ValueError("token: holds what no token or key can, a space or a line break perhaps")
        headers = {"Authorization": f"Bearer {token}"} if token else {"X-API-Key": str(api_key)}
        self._patience = patience
        self._upload_timeout = httpx.Timeout(upload_timeout, connect=timeout)
        self._made_with: dict[str, Any] = {"base_url": url, "headers": headers, "timeout": timeout, "trust_env": False}

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        made: dict[str, Any] = {"method": call.method, "url": call.path, "params": call.query, "headers": call.headers}
        if call.json is not None:
            made["json"] = call.json
        if call.content is not None:
            made["content"] = self._content(call) if isinstance(call.content, Path) else call.content
        if call.upload:
            made["timeout"] = self._upload_timeout
        return made

    def _content(self, call: Call[Any]) -> Any:
        """The file of a call, a piece at a time."""
        raise NotImplementedError

    @classmethod
    def from_environment(cls) -> Self:
        """KABAR_URL, and KABAR_API_KEY or KABAR_TOKEN."""
        key = os.environ.get("KABAR_API_KEY") or None
        return cls(os.environ["KABAR_URL"], api_key=key, token=None if key else os.environ["KABAR_TOKEN"])


def pieces(call: Call[Any]) -> Iterator[bytes]:
    """Read the file of a call, saying how far it is."""
    sent = call.sent or (lambda _: None)
    sent(0)
    with Path(str(call.content)).open("rb") as file:
        while piece := file.read(CHUNK_BYTES):
            yield piece
            sent(len(piece))


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.host)
