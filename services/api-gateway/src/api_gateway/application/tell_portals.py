"""Tell portals what happened: keep one message for each endpoint that wants an event, and call until it is taken."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from prometheus_client import CollectorRegistry, Counter

from api_gateway.application.manage_endpoints import Endpoints, Messages
from api_gateway.domain.webhook_endpoint import (
    PATIENCE,
    TEST_EVENT,
    Alert,
    Endpoint,
    Message,
    MessageStatus,
    retry_after,
)
from api_gateway.domain.webhook_signatures import signed_headers
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.kernel.identity import new_id
from common.kernel.trace_context import read_traceparent
from common.telemetry import tracing
from common.telemetry.logs import logger
from common.topology.declarations import TRACE_HEADER

TAKEN, REFUSED, UNREACHABLE = "taken", "refused", "unreachable"
AT_ONCE = 4
"""Calls under way to one endpoint: one that is dead holds up nobody but itself."""
CALL_CLAIM = timedelta(seconds=20)
"""How long a call is ours; it takes 5 s at most. After a crash somebody else makes it again."""
ALERT_CLAIM = timedelta(seconds=30)
"""How long telling people is ours; when it failed somebody does it after that."""
GONE = 410
log = logger()


@dataclass(frozen=True)
class Called:
    """What came of one call: a status, or why there is none."""

    http_status: int | None
    error: str | None = None

    @property
    def taken(self) -> bool:
        return self.http_status is not None and 200 <= self.http_status < 300


class Calls(Protocol):
    async def post(self, url: str, body: bytes, headers: dict[str, str]) -> Called:
        """Call once, for 5 s at most, following nothing; never raises for what the other side does."""
        ...


class PortalMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self.calls = Counter("webhook_call_total", "Calls of portals by outcome.", ["outcome"], registry=registry)
        self.disabled = Counter("webhook_endpoint_disabled_total", "Endpoints that took nothing.", registry=registry)
        for outcome in (TAKEN, REFUSED, UNREACHABLE):  # what is not there cannot rise
            self.calls.labels(outcome)


@dataclass
class TellPortals:
    """`alert` tells people of an endpoint that was disabled; the same alert again tells nobody twice. `listen` has what
    is wanted sent here from then on; it raises `Transient` when RabbitMQ is away.
    """

    endpoints: Endpoints
    messages: Messages
    calls: Calls
    clock: Clock
    metrics: PortalMetrics
    alert: Callable[[Endpoint, Alert], Awaitable[None]]
    listen: Callable[[Collection[str]], Awaitable[None]]
    tellable: Collection[str]
    _known: list[Endpoint] | None = None
    _calling: dict[str, set[asyncio.Task[None]]] = field(default_factory=dict)
    _bell: asyncio.Event = field(default_factory=asyncio.Event)

    async def refresh(self) -> None:
        """Learn which endpoints there are and what they want; called every second, and after every change."""
        self._known = await self.endpoints.all()
        self._bell.set()
        with suppress(Transient):  # asked again in a second
            await self.listen([event for event in self.tellable if self.wanted(event)])

    async def alert_people(self) -> None:
        """Tell people of every endpoint that was disabled and that nobody was told of; called every second."""
        now = self.clock.now()
        for endpoint in self._known or ():
            alert = endpoint.alert
            if alert is None or alert.due > now:
                continue
            if await self.endpoints.claim_alert(endpoint.id, alert, now + ALERT_CLAIM):
                await self.alert(endpoint, alert)
                await self.endpoints.alerted(endpoint.id, alert)

    def ring(self) -> None:
        """Something is due."""
        self._bell.set()

    def wanted(self, event: str) -> bool:
        """Whether some endpoint wants an event of this name; raises `Transient` before they are known."""
        if self._known is None:
            raise Transient("the webhook endpoints are not known yet")
        return any(endpoint.wants(event) for endpoint in self._known)

    async def keep(self, event: str, event_id: str, occurred_at: datetime, content: dict[str, Any]) -> None:
        """Store what the endpoints that want it are to be told; the same event again changes nothing."""
        wanting = [endpoint for endpoint in self._known or () if endpoint.wants(event)]
        if wanting:
            body = json.dumps({"type": event, "timestamp": f"{occurred_at:%Y-%m-%dT%H:%M:%S.%fZ}", "data": content})
            await self.messages.add([self._message(endpoint, event, event_id, body) for endpoint in wanting])
            self._bell.set()

    async def step(self) -> None:
        """Begin every call that is due and has room, then wait for a reason to look again, half a second at most."""
        for endpoint in self._known or ():
            if endpoint.enabled:
                await self._begin(endpoint)
        self._bell.clear()
        try:
            await asyncio.wait_for(self._bell.wait(), 0.5)
        except TimeoutError:
            return

    async def test(self, endpoint: Endpoint) -> Message:
        """Call it once with a test event, whether it is enabled or not, and say what came of it."""
        now = self.clock.now()
        body = json.dumps(
            {"type": TEST_EVENT, "timestamp": f"{now:%Y-%m-%dT%H:%M:%S.%fZ}", "data": {"endpoint_id": endpoint.id}}
        )
        message = self._message(endpoint, TEST_EVENT, new_id("test"), body)
        called = await self._call(endpoint, message)
        if called.taken:
            await self.endpoints.change(endpoint.id, {"failing_since": None})
        status = MessageStatus.DELIVERED if called.taken else MessageStatus.FAILED
        return replace(message, status=status, calls=1, http_status=called.http_status, error=called.error)

    async def drain(self) -> None:
        """Let the calls under way end."""
        under_way = [task for tasks in self._calling.values() for task in tasks]
        if under_way:
            await asyncio.wait(under_way)

    async def _begin(self, endpoint: Endpoint) -> None:
        calling = self._calling.setdefault(endpoint.id, set())
        room = AT_ONCE - len(calling)
        if room <= 0:
            return
        for message in await self.messages.due(endpoint.id, self.clock.now(), room):
            mark = new_id("call")
            if await self.messages.claim(message, mark=mark, until=self.clock.now() + CALL_CLAIM):
                task = asyncio.create_task(self._deliver(endpoint, message, mark))
                calling.add(task)
                task.add_done_callback(calling.discard)
                task.add_done_callback(lambda _: self._bell.set())

    async def _deliver(self, endpoint: Endpoint, message: Message, mark: str) -> None:
        try:
            called = await self._call(endpoint, message)
            await self._settle(endpoint, message, mark, called)
        except Exception as error:  # its claim ends, and it is called again
            log.warning("webhook.not_settled", message_id=message.id, exc_info=error)

    async def _call(self, endpoint: Endpoint, message: Message) -> Called:
        now, body = self.clock.now(), message.body.encode()
        headers = signed_headers(
            endpoint.keys(now), identity=message.event_id, timestamp=int(now.timestamp()), body=body
        )
        with tracing.span("call portal", read_traceparent(message.traceparent), kind=tracing.Kind.CLIENT) as span:
            span.note(endpoint_id=endpoint.id, event=message.event, call=message.calls + 1)
            if span.traceparent is not None:
                headers[TRACE_HEADER] = span.traceparent
            called = await self.calls.post(endpoint.url, body, headers)
            span.note(**{"http.response.status_code": called.http_status})
            span.end(failed=not called.taken)
        outcome = TAKEN if called.taken else REFUSED if called.http_status is not None else UNREACHABLE
        self.metrics.calls.labels(outcome).inc()
        return called

    async def _settle(self, endpoint: Endpoint, message: Message, mark: str, called: Called) -> None:
        now, calls = self.clock.now(), message.calls + 1
        fields: dict[str, Any] = {"called_at": now, "http_status": called.http_status, "error": called.error}
        wait = None if called.taken else retry_after(calls)
        if called.taken:
            fields |= {"status": MessageStatus.DELIVERED, "wake_at": None}
        elif wait is None:
            fields |= {"status": MessageStatus.FAILED, "wake_at": None}
        else:
            fields["wake_at"] = now + wait
        await self.messages.settle(message.id, mark, fields)
        await self._judge(endpoint, called, now)

    async def _judge(self, endpoint: Endpoint, called: Called, now: datetime) -> None:
        """What a call says of its endpoint: that it works, or that nothing has worked for too long."""
        current = await self.endpoints.get(endpoint.id)
        if current is None:
            return
        if called.taken:
            if current.failing_since is not None:
                await self.endpoints.change(endpoint.id, {"failing_since": None})
            return
        since = current.failing_at(now)
        await self.endpoints.change(endpoint.id, {"failing_since": since, "last_failure_at": now})
        if current.enabled and (called.http_status == GONE or now - since >= PATIENCE):
            reason = "it answered that it is gone (410)" if called.http_status == GONE else "it took nothing for 5 days"
            if not await self.endpoints.disable(endpoint.id, Alert(reason, at=now, due=now)):
                return
            self.metrics.disabled.inc()
            log.error("webhook_endpoint.disabled", endpoint_id=endpoint.id, reason=reason)
            await self.refresh()

    def _message(self, endpoint: Endpoint, event: str, event_id: str, body: str) -> Message:
        now = self.clock.now()
        digest = hashlib.blake2b(f"{endpoint.id}\x1f{event_id}".encode(), digest_size=16).hexdigest()
        return Message(
            id=f"whm_{digest}",
            endpoint_id=endpoint.id,
            event_id=event_id,
            event=event,
            body=body,
            status=MessageStatus.PENDING,
            calls=0,
            created_at=now,
            wake_at=now,
            traceparent=tracing.current_traceparent(),
        )
