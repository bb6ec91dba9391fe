"""Watchers over a real MongoDB, whose clock is moved by hand and whose words are kept instead of published."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from prometheus_client import CollectorRegistry

from common.contracts.facts import NotificationRequested
from common.kernel.failures import Transient
from common.mongo.administrators import Administrators
from common.mongo.connection import Mongo
from common.mongo.directory import Directory
from common.mongo.routes import Routes
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from common.testing.clock import HandClock
from scheduler.adapters.mongo_alerts import MongoAlerts
from scheduler.adapters.mongo_job_runs import MongoJobRuns
from scheduler.adapters.mongo_jobs import MongoJobs
from scheduler.adapters.mongo_leases import MongoLease
from scheduler.adapters.mongo_observations import MongoObservations
from scheduler.application.check_devices import CheckDevices
from scheduler.application.observe_jobs import ObserveJobs
from scheduler.application.ports import ScheduledJob
from scheduler.application.raise_alerts import RaiseAlerts
from scheduler.application.tell_people import TellPeople
from scheduler.application.watch import Watch
from scheduler.domain.findings import Thresholds
from scheduler.metrics import Metrics


class Bus:
    """Keeps what is asked for; `failing` lets the next of it be lost, or be kept and not confirmed."""

    def __init__(self) -> None:
        self.requests: list[NotificationRequested] = []
        self.enquiries: list[str] = []
        self.failing: str | None = None

    async def __call__(self, requests: Sequence[NotificationRequested]) -> None:
        failing, self.failing = self.failing, None
        if failing != "lost":
            self.requests += requests
        if failing:
            raise Transient("not confirmed")

    async def devices(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        assert all(sender.startswith(provider) for sender in senders)
        assert deadline.tzinfo is not None
        self.enquiries += senders

    @property
    def told(self) -> list[tuple[str, bool]]:
        """Each news once, as whoever accepts it does: its type, and whether it is over."""
        once = {request.event_id: request for request in self.requests}
        return [(one.type, bool((one.data or {}).get("resolved"))) for one in once.values()]


class HandWatch:
    """One scheduler's watch. `look` is a turn of it, with the lease or without asking for one."""

    def __init__(
        self,
        mongo: Mongo,
        clock: HandClock,
        bus: Bus,
        *,
        name: str = "one",
        number: str | None = None,
        jobs: Sequence[ScheduledJob] = (),
        thresholds: Thresholds = Thresholds(),  # noqa: B008 - a value
    ) -> None:
        self.registry = CollectorRegistry()
        alerts, observations = MongoAlerts(mongo["alerts"]), MongoObservations(mongo)
        self.lease = MongoLease(mongo["leases"], "watch", holder=name, span=timedelta(seconds=6), clock=clock)
        zone = ZoneInfo("Asia/Jakarta")
        administrators = Administrators(Directory(mongo), Suppressions(mongo, zone), number)
        self.watch = Watch(
            lease=self.lease,
            observations=observations,
            observe_jobs=ObserveJobs(jobs, MongoJobRuns(mongo), MongoJobs(mongo), observations, clock),
            raise_alerts=RaiseAlerts(alerts, clock, thresholds),
            tell=TellPeople(alerts, administrators, Routes(mongo), Templates(mongo), bus, clock, zone),
            check=CheckDevices(observations, bus, clock),
            alerts=alerts,
            metrics=Metrics(self.registry),
            clock=clock,
            thresholds=thresholds,
        )

    async def look(self) -> None:
        await self.watch()

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


class Anybody:
    """A lease everybody has."""

    async def held(self) -> bool:
        return True


async def sender(mongo: Mongo, clock: HandClock, identity: str, **fields: Any) -> None:
    """A sender whose gateway is alive now, with a device nobody has to ask about."""
    known = {"provider": identity.partition("-")[0], "max_text_chars": 4096, "gateway_seen_at": clock.now()}
    device = {"device": {"asked_at": clock.now()}}
    await mongo["senders"].replace_one({"_id": identity}, {**known, **device, **fields}, upsert=True)


def circuit(clock: HandClock, failure: str | None = "disconnected", *, seconds: float = 10, **also: Any) -> Any:
    """One that opened so long ago."""
    opened_at = clock.now() - timedelta(seconds=seconds)
    opened = {"state": "open", "reason": "said so", "failure": failure, "opened_at": opened_at, "retry_at": opened_at}
    return {**opened, "openings": 1, "failures_in_row": 0, "recent": [], "revision": 1, **also}
