"""The only file that knows what the service is made of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from common.http.operations import operations_app
from common.kernel.clock import SystemClock
from common.runtime.loops import repeatedly
from common.runtime.process import Application, Surroundings
from scheduler.adapters.mongo_heartbeats import MongoHeartbeats
from scheduler.application.show_life import ShowLife
from scheduler.settings import SchedulerSettings

HEARTBEAT_SECONDS = 1.0


@asynccontextmanager
async def wire(settings: SchedulerSettings, surroundings: Surroundings) -> AsyncIterator[Application]:
    """One loop for each thing the service does."""
    beaten = Gauge(
        "heartbeat_timestamp_seconds", "When the last heartbeat was written.", registry=surroundings.registry
    )
    heartbeats = MongoHeartbeats(surroundings.mongo["heartbeats"], instance=settings.instance, service="scheduler")
    show_life = ShowLife(heartbeats, clock=SystemClock(), beaten=beaten.set)
    yield Application(
        http=operations_app(surroundings.checks(), surroundings.registry),
        loops=[lambda: repeatedly(show_life, name="heartbeat", every=HEARTBEAT_SECONDS)],
    )
