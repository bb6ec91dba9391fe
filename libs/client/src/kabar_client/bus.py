"""The bus: tell Kabar facts and ask for notifications; hear what became of them."""

import asyncio
import contextlib
import json
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Self, Unpack

import aio_pika
from aio_pika.abc import AbstractExchange, AbstractIncomingMessage, AbstractRobustConnection
from aio_pika.exceptions import AMQPError, DeliveryError

from kabar_client.events import Event, decode
from kabar_client.failures import NotTaken
from kabar_client.requests import Notify

EXCHANGE = "kabar.events"
PUBLISH_SECONDS = 10.0
RETRY_SECONDS = 1.0
"""Before a handler that failed is called again, then twice as long each time."""
LONGEST_RETRY_SECONDS = 60.0
DELIVERY_LIMIT = 20
"""So often RabbitMQ hands an event out (a lost connection, a stopped process); then it goes to `<queue>.dead`."""
_LOST = (AMQPError, ConnectionError, OSError, TimeoutError, RuntimeError)
log = logging.getLogger(__name__)


class Publisher:
    """Tells Kabar what happened: `async with Publisher(url) as bus:`. What returns is in a queue, durably."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def __aenter__(self) -> Self:
        self._connection: AbstractRobustConnection = await aio_pika.connect_robust(self._url)
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        self._exchange: AbstractExchange = await channel.get_exchange(EXCHANGE, ensure=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    async def tell(
        self,
        fact: str,
        row: Mapping[str, Any],
        *,
        version: int = 0,
        event_id: str | None = None,
        occurred_at: datetime | None = None,
    ) -> str:
        """Tell a fact (`customer.registered`, `ticket.assigned`, `invoice.paid`, …) with the fields of its row.

        Field by field the latest (`occurred_at`, `version`) holds, so facts may be told again and in any order. Answers
        the event's identity; raises `NotTaken`.
        """
        identity = event_id or f"evt_{uuid.uuid4().hex}"
        moment = (occurred_at or datetime.now(UTC)).isoformat()
        await self._publish(fact, identity, {**row, "event_id": identity, "occurred_at": moment, "version": version})
        return identity

    async def request(self, type: str, **asked: Unpack[Notify]) -> str:  # noqa: A002 - its name in the API
        """Ask for a notification. Answers its identity (`idempotency_key`); what cannot be accepted is parked, where an
        operator sees why. Raises `NotTaken`.
        """
        fields: dict[str, Any] = {"type": type, **asked}
        identity = fields.pop("idempotency_key", None)
        return await self.tell("notification.requested", fields, event_id=identity)

    async def _publish(self, routing_key: str, identity: str, body: Mapping[str, Any]) -> None:
        message = aio_pika.Message(
            json.dumps(body, default=_moment).encode(),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type="application/json",
            message_id=identity,
            type=routing_key,
        )
        try:
            await self._exchange.publish(message, routing_key, mandatory=True, timeout=PUBLISH_SECONDS)
        except DeliveryError as error:
            raise NotTaken(f"no queue takes {routing_key}; is its name right, and is Kabar set up?") from error
        except _LOST as error:
            raise NotTaken(f"RabbitMQ did not confirm {routing_key}; publish it again under the same id") from error


Handler = Callable[[Event], Awaitable[None]]


class Reject(Exception):  # noqa: N818 - failures are adjectives here
    """Raised by a handler: it will never take this event, which goes to `<queue>.dead` at once."""


class Subscriber:
    """Hears what became of deliveries, on a durable queue of its own: nothing is missed while nobody listens.

    `queue` names it, like `billing.kabar-events`; replicas of one service share it. `events` are bindings:
    `delivery.*`, `delivery.failed`, `notification.planned`, `message.received`.
    """

    def __init__(self, url: str, queue: str, *events: str, prefetch: int = 50) -> None:
        self._url = url
        self._name = queue
        self._events = events or ("delivery.*",)
        self._prefetch = prefetch

    async def __aenter__(self) -> Self:
        self._connection: AbstractRobustConnection = await aio_pika.connect_robust(self._url)
        channel = await self._connection.channel()
        await channel.set_qos(prefetch_count=self._prefetch)
        dead = f"{self._name}.dead"
        await channel.declare_queue(dead, durable=True, arguments={"x-queue-type": "quorum"})
        self._queue = await channel.declare_queue(
            self._name,
            durable=True,
            arguments={
                "x-queue-type": "quorum",
                "x-delivery-limit": DELIVERY_LIMIT,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": dead,
            },
        )
        for event in self._events:
            await self._queue.bind(EXCHANGE, event)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connection.close()

    async def run(self, handler: Handler) -> None:
        """Call `handler` for every event until cancelled, several at once. When it returns the event is done; when it
        raises it is called again, later and later (1, 2, 4 … 60 s), for as long as it takes. What it rejects (`Reject`)
        and what is no event of Kabar's goes to `<queue>.dead`.
        """
        running: set[asyncio.Task[None]] = set()

        async def on_message(message: AbstractIncomingMessage) -> None:
            task = asyncio.ensure_future(self._handle(message, handler))
            running.add(task)
            task.add_done_callback(running.discard)
            await task

        tag = await self._queue.consume(on_message)
        try:
            await asyncio.Event().wait()
        finally:
            await self._queue.cancel(tag)
            left = tuple(running)
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def _handle(self, message: AbstractIncomingMessage, handler: Handler) -> None:
        try:
            event = decode(message.routing_key or "", message.body)
        except ValueError:
            log.exception("%s: an event that cannot be read goes to %s.dead", self._name, self._name)
            await message.reject(requeue=False)
            return
        try:
            await self._until_handled(event, handler)
        except Reject:
            log.exception("%s: %s is rejected and goes to %s.dead", self._name, event.event_id, self._name)
            await message.reject(requeue=False)
        except asyncio.CancelledError:
            with contextlib.suppress(*_LOST):  # without a connection RabbitMQ hands it out again by itself
                await message.nack(requeue=True)
            raise
        else:
            await message.ack()

    async def _until_handled(self, event: Event, handler: Handler) -> None:
        """The event is held meanwhile: given back, each failure would count against the queue's delivery limit."""
        wait = RETRY_SECONDS
        while True:
            try:
                return await handler(event)
            except Reject:
                raise
            except Exception:
                log.exception("%s: %s is tried again in %s s", self._name, event.event_id, wait)
            await asyncio.sleep(wait)
            wait = min(wait * 2, LONGEST_RETRY_SECONDS)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")
