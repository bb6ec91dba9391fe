"""The HTTP API, blocking (`Kabar`) and asynchronous (`AsyncKabar`)."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any, Self, TypeVar, Unpack

import httpx

from kabar_client import requests
from kabar_client.answers import Accepted, Delivery, Notification, Suppression, Told
from kabar_client.requests import Call, DeliveryFilter, Notify
from kabar_client.retrying import Came, Patience, Wait, conversation

T = TypeVar("T")
PAGE = 100
TIMEOUT_SECONDS = 35.0
"""A direct send is answered within 30 s."""
UPLOAD_SECONDS = 600.0
"""Half a million rows are answered within minutes."""


class _Common:
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
        headers = {"Authorization": f"Bearer {token}"} if token else {"X-API-Key": str(api_key)}
        self._patience = patience
        self._upload_timeout = httpx.Timeout(upload_timeout, connect=timeout)
        self._made_with: dict[str, Any] = {"base_url": url, "headers": headers, "timeout": timeout, "trust_env": False}

    def _request(self, call: Call[Any]) -> dict[str, Any]:
        made: dict[str, Any] = {"method": call.method, "url": call.path, "params": call.query, "headers": call.headers}
        if call.json is not None:
            made["json"] = call.json
        if call.content is not None:
            made["content"] = call.content
        if call.upload:
            made["timeout"] = self._upload_timeout
        return made

    @classmethod
    def from_environment(cls) -> Self:
        """KABAR_URL, and KABAR_API_KEY or KABAR_TOKEN."""
        key = os.environ.get("KABAR_API_KEY")
        return cls(os.environ["KABAR_URL"], api_key=key, token=None if key else os.environ["KABAR_TOKEN"])


class Kabar(_Common):
    """Blocking; safe to share between threads. `with Kabar(url, api_key=…) as kabar:`

    Every method raises `KabarError`; failures.py has the whole tree. What may be tried again is, with the same
    idempotency key, so that nothing is done twice.
    """

    def __enter__(self) -> Self:
        self._client = httpx.Client(**self._made_with)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def send(self, type: str, **asked: Unpack[Notify]) -> Accepted:  # noqa: A002 - its name in the API
        """Have a notification of any type accepted: `to` one or many, or `items` with what differs."""
        return self._do(requests.send(type, asked))

    def notification(self, notification_id: str) -> Notification:
        return self._do(requests.get_notification(notification_id))

    def cancel(self, notification_id: str) -> Notification:
        """End what of it still waits."""
        return self._do(requests.cancel_notification(notification_id))

    def delivery(self, delivery_id: str) -> Delivery:
        return self._do(requests.get_delivery(delivery_id))

    def cancel_delivery(self, delivery_id: str) -> Delivery:
        return self._do(requests.act_on_delivery(delivery_id, "cancel"))

    def retry_delivery(self, delivery_id: str) -> Delivery:
        return self._do(requests.act_on_delivery(delivery_id, "retry"))

    def deliveries(self, **asked: Unpack[DeliveryFilter]) -> Iterator[Delivery]:
        """All of them, newest first, read a page at a time."""
        cursor: str | None = None
        while True:
            page, cursor = self._do(requests.deliveries(asked, cursor, PAGE))
            yield from page
            if cursor is None:
                return

    def suppressions(self) -> Iterator[Suppression]:
        """Everybody nobody may contact, newest first, read a page at a time."""
        cursor: str | None = None
        while True:
            page, cursor = self._do(requests.suppressions(cursor, PAGE))
            yield from page
            if cursor is None:
                return

    def lift_suppression(self, named: str) -> None:
        """Let somebody be contacted again: by the suppression's `id`, or by the whole number."""
        self._do(requests.lift_suppression(named))

    def put_row(self, kind: str, identity: str, row: Mapping[str, Any], *, idempotency_key: str | None = None) -> Told:
        """Tell the directory of one row: `customers technicians staff tickets invoices packages`."""
        return self._do(requests.put_row(kind, identity, row, idempotency_key))

    def put_rows(
        self, kind: str, rows: Sequence[Mapping[str, Any]], *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Told:
        return self._do(requests.post_rows(kind, rows, idempotency_key, dry_run=dry_run))

    def put_csv(
        self, kind: str, text: str | bytes, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Told:
        return self._do(requests.post_csv(kind, text, idempotency_key, dry_run=dry_run))

    def _do(self, call: Call[T]) -> T:
        talk = conversation(call, self._patience)
        came: Came | None = None
        while True:
            try:
                step = talk.send(came)
            except StopIteration as ended:
                return ended.value  # type: ignore[no-any-return]
            came = None
            if isinstance(step, Wait):
                time.sleep(step.seconds)
                continue
            try:
                came = self._client.request(**self._request(step))
            except httpx.RequestError as error:
                came = error


class AsyncKabar(_Common):
    """The same, to be awaited: `async with AsyncKabar(url, api_key=…) as kabar:`."""

    async def __aenter__(self) -> Self:
        self._client = httpx.AsyncClient(**self._made_with)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def send(self, type: str, **asked: Unpack[Notify]) -> Accepted:  # noqa: A002 - its name in the API
        """Have a notification of any type accepted: `to` one or many, or `items` with what differs."""
        return await self._do(requests.send(type, asked))

    async def notification(self, notification_id: str) -> Notification:
        return await self._do(requests.get_notification(notification_id))

    async def cancel(self, notification_id: str) -> Notification:
        """End what of it still waits."""
        return await self._do(requests.cancel_notification(notification_id))

    async def delivery(self, delivery_id: str) -> Delivery:
        return await self._do(requests.get_delivery(delivery_id))

    async def cancel_delivery(self, delivery_id: str) -> Delivery:
        return await self._do(requests.act_on_delivery(delivery_id, "cancel"))

    async def retry_delivery(self, delivery_id: str) -> Delivery:
        return await self._do(requests.act_on_delivery(delivery_id, "retry"))

    async def deliveries(self, **asked: Unpack[DeliveryFilter]) -> AsyncIterator[Delivery]:
        """All of them, newest first, read a page at a time."""
        cursor: str | None = None
        while True:
            page, cursor = await self._do(requests.deliveries(asked, cursor, PAGE))
            for one in page:
                yield one
            if cursor is None:
                return

    async def suppressions(self) -> AsyncIterator[Suppression]:
        """Everybody nobody may contact, newest first, read a page at a time."""
        cursor: str | None = None
        while True:
            page, cursor = await self._do(requests.suppressions(cursor, PAGE))
            for one in page:
                yield one
            if cursor is None:
                return

    async def lift_suppression(self, named: str) -> None:
        """Let somebody be contacted again: by the suppression's `id`, or by the whole number."""
        await self._do(requests.lift_suppression(named))

    async def put_row(
        self, kind: str, identity: str, row: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> Told:
        """Tell the directory of one row: `customers technicians staff tickets invoices packages`."""
        return await self._do(requests.put_row(kind, identity, row, idempotency_key))

    async def put_rows(
        self, kind: str, rows: Sequence[Mapping[str, Any]], *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Told:
        return await self._do(requests.post_rows(kind, rows, idempotency_key, dry_run=dry_run))

    async def put_csv(
        self, kind: str, text: str | bytes, *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Told:
        return await self._do(requests.post_csv(kind, text, idempotency_key, dry_run=dry_run))

    async def _do(self, call: Call[T]) -> T:
        talk = conversation(call, self._patience)
        came: Came | None = None
        while True:
            try:
                step = talk.send(came)
            except StopIteration as ended:
                return ended.value  # type: ignore[no-any-return]
            came = None
            if isinstance(step, Wait):
                await asyncio.sleep(step.seconds)
                continue
            try:
                came = await self._client.request(**self._request(step))
            except httpx.RequestError as error:
                came = error


def _is_address(url: str) -> bool:
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return parsed.scheme in {"http", "https"} and bool(parsed.host)
