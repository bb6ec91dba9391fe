"""The connection to RabbitMQ. Only this package touches aio-pika."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import aio_pika
import aiormq
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage, AbstractQueue
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, DeliveryError
from aiormq.exceptions import AMQPError as ProtocolError
from prometheus_client import CollectorRegistry, Counter, Gauge

from common.contracts.event import Event
from common.kernel.failures import Permanent, Transient
from common.kernel.identity import new_id
from common.kernel.trace_context import read_traceparent
from common.messaging.together import publish_together
from common.messaging.verdict import Bury, Retry, verdict
from common.telemetry import tracing
from common.telemetry.failures import summary
from common.telemetry.logs import clean, logger
from common.topology.declarations import (
    DEAD,
    EXCHANGES,
    QUEUES,
    REPLAY_HEADER,
    TRACE_HEADER,
    UNHEARD,
    Exchange,
    Queue,
)

PUBLISH_SECONDS = 5.0
"""How long a confirm may take before the publish counts as failed."""
HEARTBEAT_SECONDS = 10
PROBE_SECONDS = 2.0
CONNECT_SECONDS = 5.0
STUCK_SECONDS = 60.0
"""How often in the end what cannot be handled is tried again where there is nowhere to park it."""
HANDLED, PARKED = "handled", "parked"
_LOST = (AMQPError, ProtocolError, ConnectionError, OSError, ChannelInvalidStateError, RuntimeError)

log = logger()
E_co = TypeVar("E_co", bound=Event, covariant=True)


@dataclass(frozen=True)
class Envelope(Generic[E_co]):
    """An event as it came off a queue. `redelivered`: somebody may have begun to handle it before. `replay`: which
    time a person hands it in again, where one does.
    """

    event: E_co
    redelivered: bool
    message_id: str
    replay: str | None = None


Handler = Callable[[Envelope[Any]], Awaitable[None]]


@dataclass
class Subscription:
    """One queue, the event class it carries, who handles it, and how many at once.

    `event` may be what several events have in common (`Event` for any); each is then decoded by its routing key.
    `traced`: handling an envelope is a span; otherwise whoever handles it says what is done for each of its items.
    """

    queue: Queue
    event: type[Event] | None
    handler: Handler
    prefetch: int
    traced: bool = False
    consuming: AbstractQueue | None = None
    tag: str = ""
    running: dict[asyncio.Task[None], float] = field(default_factory=dict)
    """What is being handled, since when: the oldest first."""

    def oldest_seconds(self) -> float:
        """How long the oldest of them has been handled; 0 while there is none."""
        began = next(iter(self.running.values()), None)
        return 0.0 if began is None else time.monotonic() - began


@dataclass(frozen=True)
class RawEvent:
    """What a subscription without an event class hands on: the bytes and the plumbing around them."""

    body: bytes
    headers: dict[str, Any]
    routing_key: str


class Broker:
    """Publishes with confirms and consumes with verdicts; reconnects, redeclares and resubscribes by itself."""

    def __init__(
        self, url: str, *, name: str, transient: tuple[type[Exception], ...] = (), registry: CollectorRegistry
    ) -> None:
        self._url = url
        self._name = name
        self._transient = transient
        self._subscriptions: list[Subscription] = []
        self._ready: Callable[[], Awaitable[None]] | None = None
        self._connected = asyncio.Event()
        self._draining = asyncio.Event()
        self._connection: AbstractConnection | None = None
        self._channel: AbstractChannel | None = None
        self._exchanges: dict[str, AbstractExchange] = {}
        self._bound: set[tuple[str, str]] = set()
        self._envelopes = Counter(
            "envelope_handled_total", "Envelopes by queue and verdict.", ["queue", "verdict"], registry=registry
        )
        self._oldest = Gauge(
            "envelope_handling_oldest_seconds", "Age of the oldest envelope being handled.", ["queue"],
            registry=registry,
        )  # fmt: skip

    @property
    def connected(self) -> bool:
        return self._connected.is_set()

    async def publish(self, exchange: Exchange, event: Event, *, timeout: float = PUBLISH_SECONDS) -> None:
        """Publish and wait for the broker's confirm.

        Raises `Transient` when the broker is away, refuses it, or no queue takes it. After a lost connection or a
        timeout the envelope may have arrived all the same.
        """
        await self._send(exchange, self._message(event), event.topic, timeout=timeout)

    async def publish_many(
        self, exchange: Exchange, events: Sequence[Event], *, timeout: float = PUBLISH_SECONDS
    ) -> None:
        """Publish all of them without waiting for one confirm before the next, then wait for all confirms.

        Raises `Transient` when one of them was not taken; the others may have been.
        """
        with _away(f"RabbitMQ did not confirm {len(events)} events in {timeout:g} s"):
            async with asyncio.timeout(timeout):
                await self._connected.wait()
                channel = await self._underlay()
                messages = [(event.topic, self._message(event)) for event in events]
                confirms = await asyncio.gather(
                    *await publish_together(channel, exchange.name, messages), return_exceptions=True
                )
        for confirm in confirms:
            if isinstance(confirm, BaseException):
                raise Transient(f"RabbitMQ did not take all of {len(events)} events") from confirm

    async def publish_raw(
        self, exchange: Exchange, raw: RawEvent, *, message_id: str, timeout: float = PUBLISH_SECONDS
    ) -> None:
        """Publish bytes as they are, and wait for the confirm. Raises `Transient` like `publish`."""
        message = aio_pika.Message(
            raw.body,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type="application/json",
            message_id=message_id,
            type=raw.routing_key,
            app_id=self._name,
            headers={**_of_trace(None), **raw.headers},
        )
        await self._send(exchange, message, raw.routing_key, timeout=timeout)

    async def _underlay(self) -> aiormq.Channel:
        """The protocol's own channel: it can hand a message over without waiting until the socket has it."""
        if self._channel is None:
            raise Transient("RabbitMQ is away")
        return cast("aiormq.Channel", await self._channel.get_underlay_channel())

    def _message(self, event: Event) -> aio_pika.Message:
        """An event that has an identity keeps it as its envelope's, so that a reader can tell what came again."""
        return aio_pika.Message(
            event.encode(),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type="application/json",
            message_id=getattr(event, "event_id", None) or new_id("env"),
            type=event.routing_key,
            app_id=self._name,
            headers=_of_trace(event.traceparent),
        )

    def subscribe(
        self, queue: Queue, event: type[Event] | None, handler: Handler, *, prefetch: int, traced: bool = False
    ) -> None:
        """Have `handler` called for every envelope of a queue, `prefetch` at once; takes effect on connecting."""
        subscription = Subscription(queue, event, handler, prefetch, traced)
        self._subscriptions.append(subscription)
        self._oldest.labels(queue.name).set_function(subscription.oldest_seconds)
        for outcome in (HANDLED, PARKED):
            self._envelopes.labels(queue.name, outcome)

    async def bind(self, queue: Queue, routing_keys: Collection[str]) -> None:
        """Have a queue take these from now on, whoever asked for them and however often.

        Raises `Transient` when the broker is away; ask again then, and after each time it was.
        """
        missing = [key for key in routing_keys if (queue.name, key) not in self._bound]
        if not missing:
            return
        with _away(f"RabbitMQ does not bind {queue.name}"):
            async with asyncio.timeout(PUBLISH_SECONDS):
                if self._channel is None:
                    raise Transient("RabbitMQ is away")
                one = await self._channel.get_queue(queue.name, ensure=False)
                for key in missing:
                    await one.bind(queue.exchange.name, key)
                    self._bound.add((queue.name, key))

    def begin_after(self, ready: Callable[[], Awaitable[None]]) -> None:
        """Let no envelope be handled before `ready` returned; until then they are only held."""
        self._ready = ready

    async def run(self) -> None:
        """Stay connected until cancelled."""
        delay = 0.1
        while True:
            try:
                with _away("RabbitMQ does not answer"):
                    closed = await self._open()
                    delay = 0.1
                    reason = await self._loss(closed)
                log.warning("rabbitmq.connection_lost", reason=clean(str(reason)))
            except Transient as error:
                cause = error.__cause__
                log.warning("rabbitmq.unreachable", reason=clean(f"{type(cause).__name__}: {cause}".rstrip(": ")))
            finally:
                await self._forget()
            await asyncio.sleep(delay)
            delay = min(delay * 2, 2.0)

    async def drain(self, *, seconds: float) -> None:
        """Take nothing new and let what is being handled end, for so many seconds at most."""
        self._draining.set()
        for subscription in self._subscriptions:
            if subscription.consuming is not None and self.connected:
                with contextlib.suppress(Transient), _away("RabbitMQ does not end the subscription"):
                    async with asyncio.timeout(2):
                        await subscription.consuming.cancel(subscription.tag)
        running = [task for subscription in self._subscriptions for task in subscription.running]
        if running:
            await asyncio.wait(running, timeout=seconds)

    async def _open(self) -> asyncio.Future[BaseException | None]:
        # Known before it connects: one that never did has to be closed as well.
        connection = self._connection = aio_pika.Connection(
            make_url(self._url, heartbeat=HEARTBEAT_SECONDS), client_properties={"connection_name": self._name}
        )
        await connection.connect(timeout=CONNECT_SECONDS)
        closed: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

        def on_close(_: Any, error: BaseException | None = None) -> None:
            if not closed.done():
                closed.set_result(error)

        connection.close_callbacks.add(on_close)
        async with asyncio.timeout(30):
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            channel.close_callbacks.add(on_close)
            await self._declare(channel)
            self._channel = channel
            for subscription in self._subscriptions:
                if not self._draining.is_set():
                    await self._consume(connection, subscription, on_close)
        self._connected.set()
        log.info("rabbitmq.connected")
        return closed

    async def _loss(self, closed: asyncio.Future[BaseException | None]) -> BaseException | None:
        """Wait until the connection is lost. A broker that hangs says nothing by itself, so it is asked."""
        while True:
            done, _ = await asyncio.wait({closed}, timeout=PROBE_SECONDS)
            if done or self._channel is None:
                return closed.result()
            async with asyncio.timeout(PUBLISH_SECONDS):
                await self._channel.get_exchange(DEAD.name, ensure=True)

    async def _declare(self, channel: AbstractChannel) -> None:
        for exchange in EXCHANGES:
            self._exchanges[exchange.name] = await channel.declare_exchange(
                exchange.name, aio_pika.ExchangeType(exchange.kind), durable=True
            )
        for queue in QUEUES:
            one = await channel.declare_queue(queue.name, durable=True, arguments=queue.arguments)
            for key in () if queue.on_demand else queue.routing_keys:
                await one.bind(queue.exchange.name, key)

    async def _consume(
        self, connection: AbstractConnection, subscription: Subscription, on_close: Callable[..., None]
    ) -> None:
        channel = await connection.channel(publisher_confirms=False)
        channel.close_callbacks.add(on_close)
        await channel.set_qos(prefetch_count=subscription.prefetch)
        queue = await channel.get_queue(subscription.queue.name, ensure=False)

        async def on_message(message: AbstractIncomingMessage) -> None:
            task = asyncio.create_task(self._handle(subscription, message))
            subscription.running[task] = time.monotonic()
            task.add_done_callback(subscription.running.pop)

        subscription.consuming = queue
        subscription.tag = await queue.consume(on_message)

    async def _handle(self, subscription: Subscription, message: AbstractIncomingMessage) -> None:
        if not await self._begun():
            return  # unacked, so that the next process begins
        tracing.enter(read_traceparent(message.headers.get(TRACE_HEADER)))
        attempt = 0
        outcome = HANDLED
        while True:
            try:
                await _handled(subscription, message)
                break
            except Exception as error:
                decision = verdict(error, attempt, transient=self._transient)
                if isinstance(decision, Bury) and not subscription.queue.dead_letters:
                    # Nothing is behind this queue but the queue itself: what is in it waits until it can be handled.
                    log.exception("envelope.stuck", queue=subscription.queue.name, reason=decision.reason)
                    decision = Retry(after=min(0.25 * 2.0 ** min(attempt, 8), STUCK_SECONDS))
                fields = {"queue": subscription.queue.name, "error": summary(error)}
                match decision:
                    case Retry(after=after):
                        if attempt in {0, 3}:
                            log.warning("envelope.retried", attempt=attempt, seconds=after, **fields)
                        with contextlib.suppress(TimeoutError):
                            await asyncio.wait_for(self._draining.wait(), after)
                            return  # unacked, so that a process that stays tries on
                        attempt += 1
                    case Bury(reason=reason):
                        log.exception("envelope.parked", reason=reason, **fields)
                        if not await self._bury(subscription.queue, message, reason):
                            return
                        outcome = PARKED
                        break
        # When the connection it came on is gone, the broker hands it out again.
        with contextlib.suppress(Transient), _away("RabbitMQ did not take the acknowledgement"):
            await message.ack()
        self._envelopes.labels(subscription.queue.name, outcome).inc()

    async def _begun(self) -> bool:
        """Wait until envelopes may be handled; `False` when the process ends before that."""
        if self._ready is not None:
            waiting = [asyncio.ensure_future(self._ready()), asyncio.ensure_future(self._draining.wait())]
            try:
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if not waiting[0].done():
                    return False
                self._ready = None
            finally:
                for one in waiting:
                    one.cancel()
        return True

    async def _bury(self, queue: Queue, message: AbstractIncomingMessage, reason: str) -> bool:
        copy = aio_pika.Message(
            message.body,
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type=message.content_type,
            message_id=message.message_id,
            type=message.type,
            headers={**message.headers, "x-kabar-reason": reason[:1000], "x-kabar-queue": queue.name,
                     "x-kabar-exchange": message.exchange or "", "x-kabar-routing-key": message.routing_key or ""},
        )  # fmt: skip
        while not self._draining.is_set():
            try:
                await self._send(DEAD, copy, queue.name, timeout=PUBLISH_SECONDS)
            except Transient:
                await asyncio.sleep(1)
            else:
                return True
        return False

    async def _send(self, exchange: Exchange, message: aio_pika.Message, routing_key: str, *, timeout: float) -> None:
        with _away(f"RabbitMQ did not confirm {message.type} in {timeout:g} s"):
            async with asyncio.timeout(timeout):
                await self._connected.wait()
                try:
                    await self._exchanges[exchange.name].publish(
                        message, routing_key, mandatory=routing_key not in UNHEARD
                    )
                except DeliveryError as error:
                    raise Transient(f"RabbitMQ did not take {message.type} for {routing_key}") from error

    async def _forget(self) -> None:
        self._connected.clear()
        self._bound.clear()
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            try:
                with contextlib.suppress(Transient), _away("RabbitMQ does not say goodbye"):
                    async with asyncio.timeout(2):
                        await connection.close()
            finally:
                # Of one that was given up half-way only its end is noted; or whoever collects it closes it again.
                await connection.close()


@asynccontextmanager
async def connect(
    url: str, *, name: str, transient: tuple[type[Exception], ...] = (), registry: CollectorRegistry
) -> AsyncIterator[Broker]:
    """A broker that connects as soon as `run` is started and is closed on leaving."""
    broker = Broker(url, name=name, transient=transient, registry=registry)
    try:
        yield broker
    finally:
        await broker._forget()  # noqa: SLF001 - the way out belongs to this module


@contextlib.contextmanager
def _away(saying: str) -> Iterator[None]:
    """Raise `Transient` for whatever the library raises when the connection is lost.

    It also cancels what waits for a lost channel; only a cancellation somebody asked of this task is one.
    """
    try:
        yield
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Transient(saying) from error
    except (*_LOST, TimeoutError) as error:
        raise Transient(saying) from error


def _of_trace(traceparent: str | None) -> dict[str, Any]:
    written = traceparent or tracing.current_traceparent()
    return {} if written is None else {TRACE_HEADER: written}


async def _handled(subscription: Subscription, message: AbstractIncomingMessage) -> None:
    if not subscription.traced:
        await subscription.handler(_envelope(subscription, message))
        return
    name = subscription.queue.name
    with tracing.span(f"process {name}", kind=tracing.Kind.CONSUMER, head=True) as span:
        span.note(**{"messaging.system": "rabbitmq", "messaging.destination.name": name})
        await subscription.handler(_envelope(subscription, message))


def _envelope(subscription: Subscription, message: AbstractIncomingMessage) -> Envelope[Any]:
    routing_key = message.routing_key or ""
    event: Any = (
        RawEvent(message.body, dict(message.headers), routing_key)
        if subscription.event is None
        else _class(subscription.event, routing_key).decode(message.body)
    )
    replay = message.headers.get(REPLAY_HEADER)
    return Envelope(event, bool(message.redelivered), message.message_id or "", None if replay is None else str(replay))


def _class(declared: type[Event], routing_key: str) -> type[Event]:
    """The class to decode: the declared one, or of a family the one with this routing key."""
    if "routing_key" in vars(declared):
        return declared
    found = Event.catalogue.get(routing_key)
    if found is None or not issubclass(found, declared):
        raise Permanent(f"no event is known under {routing_key[:80]!r}")
    return found
