"""One process: settings, logs, servers, loops, an orderly end."""

import asyncio
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, TypeVar

import uvloop
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from starlette.types import ASGIApp

from common.config.settings import EXIT_CONFIGURATION, ServiceSettings, load
from common.http.serving import listen, serve
from common.messaging.broker import Broker
from common.messaging.broker import connect as connect_broker
from common.mongo.connection import UNAVAILABLE, Mongo
from common.mongo.connection import connect as connect_mongo
from common.telemetry.logs import conceal, configure_logs, logger

DRAIN_SECONDS = 25.0
"""SIGTERM ends a process in less than 30 s: this for what is under way, the rest for closing."""

Loop = Callable[[], Awaitable[None]]
log = logger()


@dataclass
class Application:
    """What wiring hands to the runtime.

    `loops` run until the end is asked for and are then cancelled, after `drain` (finish what is under way) returned;
    `connections` are cancelled last, so that draining can still use them.
    """

    http: ASGIApp
    loops: list[Loop] = field(default_factory=list)
    connections: list[Loop] = field(default_factory=list)
    drain: Callable[[], Awaitable[None]] | None = None


@dataclass(frozen=True)
class Surroundings:
    """What every service is wired with."""

    broker: Broker
    mongo: Mongo
    registry: CollectorRegistry
    stopping: asyncio.Event

    def checks(self) -> dict[str, Callable[[], bool]]:
        return {"rabbitmq": lambda: self.broker.connected, "mongodb": lambda: self.mongo.ready}


S = TypeVar("S", bound=ServiceSettings)
Wiring = Callable[[S, Surroundings], AbstractAsyncContextManager[Application]]


def run(name: str, settings_class: type[S], wire: Wiring[S]) -> None:
    """Run a service until SIGTERM or SIGINT; the body of every `__main__`."""
    settings = load(settings_class)
    configure_logs(service=name, instance=settings.instance, level=settings.log_level)
    conceal(settings.secrets())
    # A traceback may hold what a log must not: it takes the way of the logs.
    sys.excepthook = lambda kind, error, trace: log.critical("process.crashed", exc_info=(kind, error, trace))
    try:
        listening = listen(settings.http_host, settings.http_port)
    except OSError as error:
        print(  # noqa: T201 - whoever started it by hand reads this
            f"configuration: KABAR_HTTP_PORT: port {settings.http_port} on {settings.http_host} cannot be used "
            f"({error.strerror}); choose another one",
            file=sys.stderr,
        )
        sys.exit(EXIT_CONFIGURATION)
    gc.freeze()  # what was imported is never garbage: looking through it again took a tenth of a busy process
    uvloop.run(_run(name, settings, wire, listening))


async def _run(name: str, settings: S, wire: Wiring[S], listening: socket.socket) -> None:
    stopping = asyncio.Event()
    running = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        running.add_signal_handler(number, stopping.set)
    async with _surroundings(name, settings, stopping) as surroundings, wire(settings, surroundings) as application:
        serving = asyncio.create_task(serve(application.http, listening, stop=stopping))
        connections = [asyncio.ensure_future(loop()) for loop in application.connections]
        connections += [asyncio.ensure_future(loop()) for loop in (surroundings.broker.run, surroundings.mongo.watch)]
        loops = [asyncio.ensure_future(loop()) for loop in application.loops]
        log.info("process.started", port=listening.getsockname()[1])
        ended = asyncio.create_task(stopping.wait())
        await asyncio.wait({ended, serving, *loops, *connections}, return_when=asyncio.FIRST_COMPLETED)
        # None of these ends by itself.
        failed = [task for task in (serving, *loops, *connections) if task.done() and not stopping.is_set()]
        stopping.set()
        log.info("process.stopping")
        deadline = running.time() + DRAIN_SECONDS
        draining = asyncio.create_task(surroundings.broker.drain(seconds=DRAIN_SECONDS))
        await asyncio.wait({draining, serving}, timeout=DRAIN_SECONDS)
        if application.drain is not None:
            finishing = asyncio.ensure_future(application.drain())
            await asyncio.wait({finishing}, timeout=max(deadline - running.time(), 1.0))
            await _cancel([finishing])
        await _cancel([*loops, draining, *connections, serving, ended])
        for task in failed:
            error = None if task.cancelled() else task.exception()
            log.error("process.loop_ended", cancelled=task.cancelled(), exc_info=error)
    log.info("process.stopped")
    if failed:
        sys.exit(1)


async def _cancel(tasks: Sequence[asyncio.Future[Any]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def _surroundings(name: str, settings: ServiceSettings, stopping: asyncio.Event) -> AsyncIterator[Surroundings]:
    registry = CollectorRegistry()
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    mongodb_url, rabbitmq_url = settings.mongodb_url.get_secret_value(), settings.rabbitmq_url.get_secret_value()
    with _traces(name, settings, registry):
        async with (
            connect_mongo(mongodb_url, name=name, registry=registry) as mongo,
            connect_broker(rabbitmq_url, name=settings.instance, transient=UNAVAILABLE, registry=registry) as broker,
        ):
            yield Surroundings(broker, mongo, registry, stopping)


def _traces(name: str, settings: ServiceSettings, registry: CollectorRegistry) -> AbstractContextManager[None]:
    if settings.otlp_endpoint is None:
        return nullcontext()
    from common.telemetry.exporting import exporting  # noqa: PLC0415 - where nothing is exported none of it is loaded

    return exporting(
        settings.otlp_endpoint,
        headers="" if settings.otlp_headers is None else settings.otlp_headers.get_secret_value(),
        service=name,
        instance=settings.instance,
        ratio=settings.sampled_share,
        registry=registry,
    )
