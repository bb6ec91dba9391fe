"""The only file that knows what the service is made of."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import Gauge

from common.http.operations import operations_app
from common.kernel.clock import SystemClock
from common.runtime.loops import repeatedly
from common.runtime.process import Application, Surroundings
from scheduler.adapters.mongo_heartbeats import MongoHeartbeats
from scheduler.application.ports import ScheduledJob
from scheduler.application.show_life import ShowLife
from scheduler.settings import SchedulerSettings

HEARTBEAT_SECONDS = 1.0


def scheduled_jobs(settings: SchedulerSettings, surroundings: Surroundings) -> list[ScheduledJob]:  # noqa: ARG001 - no job yet
    """Every job: its schedule, how old a firing it still runs, how long a run may take.

    `ScheduledJob(settings.schedule(settings.dunning), Dunning(…), oldest=…, longest=…)`
    """
    return []


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
