"""A provider's webhook in; reports, news of senders and messages from people out."""

import hashlib
from collections.abc import Awaitable, Sequence
from contextlib import AbstractContextManager
from typing import assert_never

from common.contracts.events import MessageReceived, Report, SenderReported, Webhook, WebhooksReceived
from common.kernel.failures import Permanent, Transient
from common.kernel.trace_context import read_traceparent
from common.telemetry import tracing
from common.telemetry.logs import clean, logger
from gateway.application.know_devices import KnowDevices
from gateway.application.ports import KnownDevices, News, Reports, WebhookObserver
from gateway.domain.webhooks import DeviceSaid, MessageSaid, NotUnderstood, Told, Unreadable, Webhooks

ERROR_CHARS = 300
READ_CHARS = 1_000
"""What stands further back in an error is not even looked at."""
log = logger()


class ReadWebhooks:
    """Returns once all of what webhooks say is safe. One that is alone raises `Permanent` when nobody can make sense
    of it, and `Transient` when it is to be read again later; among others it is handed back to come alone.
    """

    def __init__(
        self,
        provider: str,
        *,
        webhooks: Webhooks,
        devices: KnowDevices,
        kept: KnownDevices,
        reports: Reports,
        news: News,
        observer: WebhookObserver,
    ) -> None:
        self._provider = provider
        self._webhooks = webhooks
        self._devices = devices
        self._kept = kept
        self._reports = reports
        self._news = news
        self._observer = observer

    async def __call__(self, received: WebhooksReceived) -> None:
        safe: list[Awaitable[None]] = []
        for webhook in received.webhooks:
            try:
                with self._span(webhook):
                    for one in self._read(webhook):
                        safe += await self._tell(one)
            except Exception:
                if len(received.webhooks) == 1:
                    raise
                await self._news.handed_back(WebhooksReceived(provider=self._provider, webhooks=[webhook]))
        for told in safe:
            await told

    def _span(self, webhook: Webhook) -> AbstractContextManager[tracing.Span]:
        came_in = read_traceparent(webhook.traceparent)
        return tracing.span(f"read webhook of {self._provider}", came_in, kind=tracing.Kind.CONSUMER)

    def _read(self, webhook: Webhook) -> Sequence[Told]:
        try:
            told = self._webhooks.read(webhook)
        except Unreadable as error:
            self._observer.webhook("unreadable")
            raise Permanent(clean(f"webhook of {self._provider}: {error}")) from error
        if not told:
            self._observer.webhook("nothing")
        return told

    async def _tell(self, told: Told) -> Sequence[Awaitable[None]]:
        """Answers what is still to be awaited until it is safe: reports go together."""
        match told:
            case Report():
                self._observer.webhook("report")
                error = clean(told.error[:READ_CHARS])[:ERROR_CHARS] if told.error else None
                report = told.model_copy(update={"error": error, "traceparent": tracing.current_traceparent()})
                return [self._reports.put(report)]
            case DeviceSaid():
                self._observer.webhook("device")
                await self._tell_device(told)
            case MessageSaid():
                self._observer.webhook("message")
                await self._news.received(await self._message(told))
            case NotUnderstood():
                self._observer.webhook("not_understood")
                log.warning("webhook.not_understood", provider=self._provider, why=clean(told.why))
            case _ as never:
                assert_never(never)
        return []

    async def _tell_device(self, told: DeviceSaid) -> None:
        sender = await self._devices.sender_of(told.device)
        if sender is None:
            log.warning("webhook.unknown_device", provider=self._provider)
            return
        log.info("sender.reported", sender=sender, connected=told.connected, reason=told.reason)
        await self._kept.said(sender, connected=told.connected, at=told.at)
        await self._news.reported(
            SenderReported(
                provider=self._provider,
                sender=sender,
                connected=told.connected,
                reason=clean(told.reason[:READ_CHARS])[:ERROR_CHARS] if told.reason else None,
                at=told.at,
            )
        )

    async def _message(self, told: MessageSaid) -> MessageReceived:
        try:
            sender = await self._devices.sender_of(told.device)
        except Transient:  # what somebody wrote, maybe STOP, waits for no device's name
            sender = None
        named = f"{self._provider}\x1f{told.device}\x1f{told.identity}".encode()
        return MessageReceived(
            event_id=f"msg_{hashlib.blake2b(named, digest_size=16).hexdigest()}",
            occurred_at=told.at,
            provider=self._provider,
            sender=sender or self._provider,
            message_from=told.message_from,
            group=told.group,
            text=told.text,
        )
