"""The business jobs over a real MongoDB, with a clock moved by hand and a bus that can be looked at."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from common.config.bonus import BonusRule
from common.contracts.facts import NotificationRequested
from common.kernel.failures import Transient
from common.mongo.connection import Mongo
from common.mongo.directory import Directory
from common.mongo.figures import Figures
from common.mongo.routes import Routes
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from common.testing.clock import HandClock
from scheduler.adapters.mongo_audiences import MongoAudiences
from scheduler.adapters.mongo_invoices import MongoInvoices
from scheduler.adapters.mongo_requests import MongoRequests
from scheduler.adapters.mongo_tickets import MongoTickets
from scheduler.application.ask_once import AskOnce, HandOverRequests
from scheduler.application.ports import Firing, Job
from scheduler.application.reach import Reach, ReachStaff
from scheduler.application.remind_of_invoices import RemindOfInvoices
from scheduler.application.sum_up_day import SumUpDay
from scheduler.application.tell_performance import TellPerformance
from scheduler.application.watch_deadlines import WatchDeadlines
from tests.support.directory_rows import stored_row

JAKARTA = ZoneInfo("Asia/Jakarta")
DAY = date(2025, 11, 15)


class NotedBus:
    """Takes requests, unless it is away."""

    def __init__(self) -> None:
        self.taken: list[NotificationRequested] = []
        self.away = False

    async def __call__(self, requests: Sequence[NotificationRequested]) -> None:
        if self.away:
            raise Transient("RabbitMQ is away")
        self.taken += requests


class BusinessJobs:
    """As the scheduler is made of them."""

    def __init__(self, mongo: Mongo, clock: HandClock, *, mail_is_on: bool = True) -> None:
        self.mongo, self.clock, self.bus = mongo, clock, NotedBus()
        directory, routes = Directory(mongo, zone=JAKARTA), Routes(mongo)
        figures = Figures(mongo, BonusRule((500_000,)))
        self.requests = MongoRequests(mongo)
        ask = AskOnce(self.requests, clock)
        reach = Reach(routes, Templates(mongo), Suppressions(mongo, JAKARTA), mail_is_on)
        staff = ReachStaff(reach, MongoAudiences(mongo, directory))
        self.dunning = RemindOfInvoices(MongoInvoices(mongo), directory, reach, ask, clock)
        self.sla = WatchDeadlines(MongoTickets(mongo), staff, ask, clock)
        self.summary = SumUpDay(figures, staff, ask, clock, JAKARTA)
        self.performance = TellPerformance(figures, directory, reach, ask, clock, JAKARTA)
        self.hand_over = HandOverRequests(self.requests, self.bus, clock)

    def firing(self, job: Job, *, day: date = DAY, dry_run: bool = False) -> Firing:
        """One a person asks for, due now."""
        return Firing(job.name, self.clock.now(), day, dry_run, f"run_{uuid4().hex}")

    def scheduled(self, job: Job, *, dry_run: bool = False) -> Firing:
        """The schedule's, due now."""
        firing = Firing(job.name, self.clock.now(), DAY, dry_run)
        return replace(firing, run_id=firing.identity)

    async def asked(self) -> list[NotificationRequested]:
        """Everything that was asked for so far, handed over; in the order of the identities."""
        while await self.hand_over():
            pass
        return sorted(self.bus.taken, key=lambda request: request.event_id)

    async def store(self, kind: str, *rows: dict[str, Any]) -> None:
        for row in rows:
            await self.mongo[kind].replace_one({"_id": row["id"]}, stored_row(row), upsert=True)


def local(text: str) -> datetime:
    """A moment told in Jakarta, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=JAKARTA).astimezone(UTC)
