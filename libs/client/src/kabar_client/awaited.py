"""The HTTP API, asynchronous."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar, Unpack

import httpx

from kabar_client import operating, requests
from kabar_client.answers import Accepted, Answer, Delivery, Notification, RowTold, Suppression, Told
from kabar_client.connection import PAGE, Connection, pieces
from kabar_client.operating_answers import (
    Alert,
    CheckedSender,
    Cleared,
    Discarded,
    Erasure,
    ErasureRequested,
    Held,
    Job,
    JobRun,
    Preview,
    Queue,
    Retried,
    RunRequested,
    Sender,
)
from kabar_client.requests import Call, DeadFilter, DeliveryFilter, Notify, Paged, Sent
from kabar_client.retrying import Came, Wait, conversation

T = TypeVar("T")
A = TypeVar("A", bound=Answer)


class AsyncKabar(Connection):
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
        """The whole story, and what keeps it now."""
        return await self._do(requests.get_delivery(delivery_id))

    async def cancel_delivery(self, delivery_id: str) -> Delivery:
        return await self._do(requests.act_on_delivery(delivery_id, "cancel"))

    async def retry_delivery(self, delivery_id: str) -> Delivery:
        return await self._do(requests.act_on_delivery(delivery_id, "retry"))

    async def deliveries(self, **asked: Unpack[DeliveryFilter]) -> AsyncIterator[Delivery]:
        """All of them, newest first, read a page at a time."""
        async for one in self._pages(partial(requests.deliveries, asked)):
            yield one

    async def suppressions(self) -> AsyncIterator[Suppression]:
        """Everybody nobody may contact, newest first, read a page at a time."""
        async for one in self._pages(requests.suppressions):
            yield one

    async def suppression(self, recipient: str) -> Suppression:
        """Why somebody may not be contacted; raises `Missing` for whoever may."""
        return await self._do(operating.suppression(recipient))

    async def lift_suppression(self, named: str) -> None:
        """Let somebody be contacted again: by the suppression's `id`, or by the whole number."""
        await self._do(requests.lift_suppression(named))

    async def put_row(
        self, kind: str, identity: str, row: Mapping[str, Any], *, idempotency_key: str | None = None
    ) -> RowTold:
        """Tell the directory of one row: `customers technicians staff tickets invoices packages`."""
        return await self._do(requests.put_row(kind, identity, row, idempotency_key))

    async def put_rows(
        self, kind: str, rows: Sequence[Mapping[str, Any]], *, dry_run: bool = False, idempotency_key: str | None = None
    ) -> Told:
        return await self._do(requests.post_rows(kind, rows, idempotency_key, dry_run=dry_run))

    async def put_csv(
        self,
        kind: str,
        text: str | bytes | Path,
        *,
        dry_run: bool = False,
        sent: Sent | None = None,
        idempotency_key: str | None = None,
    ) -> Told:
        """Tell the directory of a CSV, its text or the file it is in, which is read while it is sent; `sent` is told
        how far. Raises `OSError` for a file that cannot be read.
        """
        return await self._do(requests.post_csv(kind, text, idempotency_key, dry_run=dry_run, sent=sent))

    async def senders(self) -> list[Sender]:
        """Every sender with its circuit, quota and limits."""
        return await self._do(operating.senders())

    async def pause_sender(self, sender_id: str) -> Sender:
        """Give it no more work."""
        return await self._do(operating.act_on_sender(sender_id, "pause"))

    async def resume_sender(self, sender_id: str) -> Sender:
        """Let it work again; closes its circuit, too."""
        return await self._do(operating.act_on_sender(sender_id, "resume"))

    async def check_sender(self, sender_id: str) -> CheckedSender:
        """Ask its provider how its device and quota are; raises `Conflicting` when nobody can ask."""
        return await self._do(operating.check_sender(sender_id))

    async def queue(self) -> Queue:
        """What waits for WhatsApp, at a glance."""
        return await self._do(operating.queue())

    async def hold_unfinished(self, *, idempotency_key: str | None = None) -> Held:
        """Once a backup was restored, before anything is sent: hold what it shows as not over; again while `more`."""
        return await self._do(operating.hold_unfinished(idempotency_key))

    async def clear_queue(self, *, idempotency_key: str | None = None) -> Cleared:
        """End everything queued for WhatsApp; what is scheduled for later stays."""
        return await self._do(operating.clear_queue(idempotency_key))

    async def send_test(
        self, to: str | None = None, message: str | None = None, *, idempotency_key: str | None = None
    ) -> Accepted:
        """Send a test message, to ADMIN_WHATSAPP_NUMBER unless it is said to whom."""
        return await self._do(operating.send_test(to, message, idempotency_key))

    async def dead_deliveries(self, **asked: Unpack[DeadFilter]) -> AsyncIterator[Delivery]:
        """Failed and unknown ones that wait for a person, newest first, read a page at a time."""
        async for one in self._pages(partial(requests.dead_deliveries, asked)):
            yield one

    async def retry_dead(self, ids: Sequence[str], *, idempotency_key: str | None = None) -> Retried:
        """Queue dead deliveries anew, at most 1,000."""
        return await self._do(operating.retry_dead(ids, idempotency_key))

    async def discard_dead(self, ids: Sequence[str], *, idempotency_key: str | None = None) -> Discarded:
        """Take dead deliveries off the list, at most 1,000."""
        return await self._do(operating.discard_dead(ids, idempotency_key))

    async def erase(
        self,
        *,
        phone: str | None = None,
        email: str | None = None,
        customer_id: str | None = None,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> ErasureRequested:
        """Have somebody erased, named by one of the three, or with `dry_run` count what there is of them."""
        named = {"phone": phone, "email": email, "customer_id": customer_id}
        return await self._do(operating.erase(named, idempotency_key, dry_run=dry_run))

    async def erasure(self, erasure_id: str) -> Erasure:
        """How far it is."""
        return await self._do(operating.erasure(erasure_id))

    async def preview_template(self, name: str) -> Preview:
        """How a template looks with its example."""
        return await self._do(operating.preview_template(name))

    async def alerts(self, *, status: str | None = None) -> AsyncIterator[Alert]:
        """What is wrong (`status="active"`) and what was, the latest first, read a page at a time."""
        async for one in self._pages(partial(operating.alerts, status)):
            yield one

    async def jobs(self) -> list[Job]:
        """What runs when, and how it went last."""
        return await self._do(operating.jobs())

    async def run_job(
        self, name: str, *, date: str | None = None, dry_run: bool = False, idempotency_key: str | None = None
    ) -> RunRequested:
        """Have a job run now, as if it were that day."""
        return await self._do(operating.run_job(name, date, idempotency_key, dry_run=dry_run))

    async def job_run(self, name: str, run_id: str) -> JobRun:
        return await self._do(operating.job_run(name, run_id))

    async def _pages(self, page: Callable[[str | None, int], Call[Paged[A]]]) -> AsyncIterator[A]:
        cursor: str | None = None
        while True:
            found, cursor = await self._do(page(cursor, PAGE))
            for one in found:
                yield one
            if cursor is None:
                return

    async def _content(self, call: Call[Any]) -> AsyncIterator[bytes]:
        for piece in pieces(call):
            yield piece

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
