"""Schedulers whose clock is moved by hand, over a real MongoDB."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from common.kernel.clock import Clock
from common.mongo.connection import Mongo
from common.testing.clock import HandClock
from scheduler.adapters.mongo_job_runs import MongoJobRuns
from scheduler.adapters.mongo_jobs import MongoJobs
from scheduler.adapters.mongo_observations import MongoObservations
from scheduler.application.forget_jobs import ForgetJobs
from scheduler.application.measure_jobs import MeasureJobs
from scheduler.application.notice_firings import NoticeFirings
from scheduler.application.ports import Firing, ScheduledJob, Tally
from scheduler.application.run_jobs import RunJobs
from scheduler.domain.schedule import Schedule
from scheduler.metrics import Metrics

JAKARTA = ZoneInfo("Asia/Jakarta")


class NotedJob:
    """Notes its firings; does what it is told to besides."""

    def __init__(self, name: str = "daily", also: Callable[[Firing], Awaitable[Tally]] | None = None) -> None:
        self.name = name
        self.firings: list[Firing] = []
        self._also = also

    async def run(self, firing: Firing) -> Tally:
        self.firings.append(firing)
        return Tally(found=1, dispatched=1) if self._also is None else await self._also(firing)

    def scheduled(
        self,
        expression: str | None = "0 8 * * *",
        *,
        zone: ZoneInfo = JAKARTA,
        oldest: timedelta = timedelta(hours=6),
        longest: timedelta = timedelta(minutes=5),
    ) -> ScheduledJob:
        schedule = None if expression is None else Schedule(expression, zone)
        return ScheduledJob(schedule, self, oldest, longest)


class HandScheduler:
    """One scheduler; `look` is a turn of all its loops."""

    def __init__(self, mongo: Mongo, clock: Clock, jobs: Sequence[ScheduledJob], instance: str = "one") -> None:
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        self.runs = MongoJobRuns(mongo)
        shown = MongoJobs(mongo)
        self.notice = NoticeFirings(jobs, self.runs, shown, clock, metrics)
        self.run_jobs = RunJobs(jobs, self.runs, clock, metrics, instance=instance, stopping=lambda: self.stopping)
        self.measure = MeasureJobs(jobs, self.runs, shown, MongoObservations(mongo), metrics)
        self.forget = ForgetJobs(jobs, self.runs, shown, clock)
        self.stopping = False

    async def look(self) -> None:
        """Notice what is due, begin what may be, and let it end."""
        await self.notice()
        await self.run_jobs.give_up()
        await self.forget()
        while await self.run_jobs.claim():
            pass
        await self.run_jobs.drain()

    async def begin(self) -> None:
        """Notice what is due and begin one, without waiting for its end."""
        await self.notice()
        assert await self.run_jobs.claim()
        await asyncio.sleep(0)

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def moment(clock: HandClock, text: str) -> None:
    """Move the clock, either way, to a moment told in Jakarta."""
    clock.advance((datetime.fromisoformat(text).replace(tzinfo=JAKARTA) - clock.now()).total_seconds())


async def rows(mongo: Mongo, **query: Any) -> list[dict[str, Any]]:
    return await mongo["job_runs"].find(query).sort([("due_at", 1), ("_id", 1)]).to_list(None)
