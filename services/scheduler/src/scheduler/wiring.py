"""The only file that knows what the service is made of."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from prometheus_client import Gauge

from common.http.operations import operations_app
from common.kernel.clock import Clock, SystemClock
from common.mongo.server_clock import ServerClock
from common.runtime.loops import after, repeatedly
from common.runtime.process import Application, Loop, Surroundings
from scheduler.adapters.mongo_heartbeats import MongoHeartbeats
from scheduler.adapters.mongo_job_runs import MongoJobRuns
from scheduler.adapters.mongo_jobs import MongoJobs
from scheduler.adapters.mongo_old_contents import MongoOldContents
from scheduler.application.measure_jobs import MeasureJobs
from scheduler.application.notice_firings import NoticeFirings
from scheduler.application.ports import ScheduledJob
from scheduler.application.remove_old_contents import RemoveOldContents
from scheduler.application.run_jobs import RENEW_SECONDS, RunJobs
from scheduler.application.show_life import ShowLife
from scheduler.metrics import Metrics
from scheduler.settings import SchedulerSettings

HEARTBEAT_SECONDS = 1.0
LOOK_SECONDS = 0.5
MEASURE_SECONDS = 5.0

JobList = Callable[[SchedulerSettings, Surroundings, Clock], list[ScheduledJob]]


def scheduled_jobs(settings: SchedulerSettings, surroundings: Surroundings, clock: Clock) -> list[ScheduledJob]:
    """Every job: its schedule, how old a firing it still runs, how long a run may take."""
    retention = RemoveOldContents(MongoOldContents(surroundings.mongo), clock, settings.retention_days)
    return [
        ScheduledJob(
            settings.schedule(settings.retention), retention, oldest=timedelta(hours=20), longest=timedelta(hours=6)
        ),
    ]


@asynccontextmanager
async def wire(
    settings: SchedulerSettings, surroundings: Surroundings, *, job_list: JobList = scheduled_jobs
) -> AsyncIterator[Application]:
    """One loop for each thing the service does."""
    mongo, registry = surroundings.mongo, surroundings.registry
    clock = ServerClock(mongo.time)
    metrics, runs, shown = Metrics(registry), MongoJobRuns(mongo), MongoJobs(mongo)
    jobs = job_list(settings, surroundings, clock)
    run_jobs = RunJobs(jobs, runs, clock, metrics, instance=settings.instance, stopping=surroundings.stopping.is_set)
    notice = NoticeFirings(jobs, runs, shown, clock, metrics)
    measure = MeasureJobs(jobs, runs, shown, metrics)
    loops: list[Loop] = [
        partial(repeatedly, notice, name="firings", every=LOOK_SECONDS),
        partial(repeatedly, run_jobs.claim, name="runs", every=LOOK_SECONDS),
        partial(repeatedly, run_jobs.renew, name="leases of runs", every=RENEW_SECONDS),
        partial(repeatedly, run_jobs.give_up, name="old runs", every=MEASURE_SECONDS),
        partial(repeatedly, measure, name="successes", every=MEASURE_SECONDS),
    ]
    yield Application(
        http=operations_app(surroundings.checks(), registry),
        loops=[_heartbeat(settings, surroundings), *(after(clock.ready, loop) for loop in loops)],
        drain=run_jobs.drain,
        connections=[clock.run],
    )


def _heartbeat(settings: SchedulerSettings, surroundings: Surroundings) -> Loop:
    beaten = Gauge(
        "heartbeat_timestamp_seconds", "When the last heartbeat was written.", registry=surroundings.registry
    )
    heartbeats = MongoHeartbeats(surroundings.mongo["heartbeats"], instance=settings.instance, service="scheduler")
    show_life = ShowLife(heartbeats, clock=SystemClock(), beaten=beaten.set)
    return partial(repeatedly, show_life, name="heartbeat", every=HEARTBEAT_SECONDS)
