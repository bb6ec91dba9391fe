"""A scheduler with a job that is due every few seconds, takes a while and leaves an effect.

python -m tests.support.scheduling.frequent
"""

import asyncio
from datetime import timedelta
from functools import partial

from common.kernel.clock import Clock
from common.mongo.connection import Mongo
from common.runtime.process import Surroundings, run
from scheduler.application.ports import Firing, ScheduledJob, Tally
from scheduler.domain.schedule import Schedule
from scheduler.settings import SchedulerSettings
from scheduler.wiring import wire

EVERY_SECONDS = 4
TAKES_SECONDS = 1.2


class LeaveEffect:
    """`begun` counts how often a firing was begun, `effects` has what it left: once, under an identity of its own."""

    name = "frequent"

    def __init__(self, mongo: Mongo) -> None:
        self._begun = mongo["begun"]
        self._effects = mongo["effects"]

    async def run(self, firing: Firing) -> Tally:
        await self._begun.update_one({"_id": firing.identity}, {"$inc": {"times": 1}}, upsert=True)
        await asyncio.sleep(TAKES_SECONDS)
        effect = {"$setOnInsert": {"due_at": firing.due_at}}
        await self._effects.update_one({"_id": firing.identity}, effect, upsert=True)
        return Tally(found=1, dispatched=1)


def frequent(settings: SchedulerSettings, surroundings: Surroundings, _: Clock) -> list[ScheduledJob]:
    schedule = Schedule(f"*/{EVERY_SECONDS} * * * * *", settings.zone)
    minute = timedelta(minutes=1)
    return [ScheduledJob(schedule, LeaveEffect(surroundings.mongo), oldest=2 * minute, longest=minute)]


if __name__ == "__main__":
    run("scheduler", SchedulerSettings, partial(wire, job_list=frequent))
