"""The only file that knows what the service is made of."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from prometheus_client import Gauge

from common.http.operations import operations_app
from common.kernel.clock import Clock, SystemClock
from common.kernel.failures import Transient
from common.mongo.administrators import Administrators
from common.mongo.connection import UNAVAILABLE, Mongo
from common.mongo.directory import Directory
from common.mongo.figures import Figures
from common.mongo.routes import Routes
from common.mongo.server_clock import ServerClock
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from common.runtime.loops import after, repeatedly
from common.runtime.process import Application, Loop, Surroundings
from scheduler.adapters.mongo_alerts import MongoAlerts
from scheduler.adapters.mongo_audiences import MongoAudiences
from scheduler.adapters.mongo_erasures import MongoErasures
from scheduler.adapters.mongo_heartbeats import MongoHeartbeats
from scheduler.adapters.mongo_invoices import MongoInvoices
from scheduler.adapters.mongo_job_runs import MongoJobRuns
from scheduler.adapters.mongo_jobs import MongoJobs
from scheduler.adapters.mongo_leases import MongoLease
from scheduler.adapters.mongo_observations import MongoObservations
from scheduler.adapters.mongo_old_contents import MongoOldContents
from scheduler.adapters.mongo_requests import MongoRequests
from scheduler.adapters.mongo_tickets import MongoTickets
from scheduler.adapters.mongo_traces import MongoTraces
from scheduler.adapters.rabbit_enquiries import RabbitEnquiries
from scheduler.adapters.rabbit_requests import RabbitRequests
from scheduler.application.ask_once import AskOnce, HandOverRequests
from scheduler.application.check_devices import CheckDevices
from scheduler.application.erase_people import ErasePeople
from scheduler.application.forget_jobs import ForgetJobs
from scheduler.application.measure_jobs import MeasureJobs
from scheduler.application.measure_space import MeasureSpace
from scheduler.application.notice_firings import NoticeFirings
from scheduler.application.observe_jobs import ObserveJobs
from scheduler.application.ports import ScheduledJob
from scheduler.application.raise_alerts import RaiseAlerts
from scheduler.application.reach import Reach, ReachStaff
from scheduler.application.remind_of_invoices import RemindOfInvoices
from scheduler.application.remove_old_contents import RemoveOldContents
from scheduler.application.run_jobs import RENEW_SECONDS, RunJobs
from scheduler.application.show_life import ShowLife
from scheduler.application.sum_up_day import SumUpDay
from scheduler.application.tell_people import TellPeople
from scheduler.application.tell_performance import TellPerformance
from scheduler.application.watch import Watch
from scheduler.application.watch_deadlines import WatchDeadlines
from scheduler.metrics import Metrics
from scheduler.settings import SchedulerSettings

HEARTBEAT_SECONDS = 1.0
LOOK_SECONDS = 0.5
HAND_OVER_SECONDS = 0.5
MEASURE_SECONDS = 5.0
SEE_SECONDS = 60.0
SPACE_SECONDS = 15.0
WATCH_SECONDS = 2.0
WATCH_LEASE = timedelta(seconds=6)

JobList = Callable[[SchedulerSettings, Surroundings, Clock], list[ScheduledJob]]


def scheduled_jobs(settings: SchedulerSettings, surroundings: Surroundings, clock: Clock) -> list[ScheduledJob]:
    """Every job: its schedule, how old a firing it still runs, how long a run may take."""
    mongo, broker = surroundings.mongo, surroundings.broker
    check_devices = CheckDevices(MongoObservations(mongo), RabbitEnquiries(broker), clock)
    retention = RemoveOldContents(MongoOldContents(mongo), clock, settings.retention_days)
    return [
        *_business_jobs(settings, surroundings.mongo, clock),
        ScheduledJob(
            settings.schedule(settings.provider_check),
            check_devices,
            oldest=timedelta(minutes=15),
            longest=timedelta(minutes=2),
        ),
        ScheduledJob(
            settings.schedule(settings.retention), retention, oldest=timedelta(hours=20), longest=timedelta(hours=6)
        ),
    ]


def _business_jobs(settings: SchedulerSettings, mongo: Mongo, clock: Clock) -> list[ScheduledJob]:
    directory, routes, figures = Directory(mongo, zone=settings.zone), Routes(mongo), Figures(mongo, settings.bonus)
    ask = AskOnce(MongoRequests(mongo), clock)
    mail_is_on = settings.mail_host is not None
    reach = Reach(routes, Templates(mongo), Suppressions(mongo, settings.zone), mail_is_on)
    staff = ReachStaff(reach, MongoAudiences(mongo, directory))
    watch = WatchDeadlines(MongoTickets(mongo), staff, ask, clock)
    remind = RemindOfInvoices(MongoInvoices(mongo), directory, reach, ask, clock)
    sum_up = SumUpDay(figures, staff, ask, clock, settings.zone)
    tell = TellPerformance(figures, directory, reach, ask, clock, settings.zone)
    hour = timedelta(hours=1)
    return [
        ScheduledJob(settings.schedule(settings.sla_monitor), watch, oldest=hour / 4, longest=hour / 4),
        ScheduledJob(settings.schedule(settings.dunning), remind, oldest=12 * hour, longest=2 * hour),
        ScheduledJob(settings.schedule(settings.daily_summary), sum_up, oldest=5 * hour, longest=hour / 4),
        ScheduledJob(settings.schedule(settings.weekly_performance), tell, oldest=24 * hour, longest=hour / 4),
    ]


def erase_people(settings: SchedulerSettings, mongo: Mongo, clock: Clock) -> ErasePeople:
    traces = MongoTraces(mongo, Directory(mongo), Suppressions(mongo, settings.zone))
    return ErasePeople(MongoErasures(mongo), traces, clock)


@asynccontextmanager
async def wire(
    settings: SchedulerSettings, surroundings: Surroundings, *, job_list: JobList = scheduled_jobs
) -> AsyncIterator[Application]:
    """One loop for each thing the service does."""
    mongo, registry = surroundings.mongo, surroundings.registry
    clock = ServerClock(mongo.time)
    metrics, runs, shown = Metrics(registry), MongoJobRuns(mongo), MongoJobs(mongo)
    jobs = job_list(settings, surroundings, clock)
    run_jobs = RunJobs(
        jobs,
        runs,
        clock,
        metrics,
        instance=settings.instance,
        stopping=surroundings.stopping.is_set,
        transient=(Transient, *UNAVAILABLE),
    )
    notice = NoticeFirings(jobs, runs, shown, clock, metrics)
    measure = MeasureJobs(jobs, runs, shown, MongoObservations(mongo), metrics)
    hand_over = HandOverRequests(MongoRequests(mongo), RabbitRequests(surroundings.broker), clock)
    loops: list[Loop] = [
        partial(repeatedly, hand_over, name="requests", every=HAND_OVER_SECONDS),
        partial(repeatedly, notice, name="firings", every=LOOK_SECONDS),
        partial(repeatedly, run_jobs.claim, name="runs", every=LOOK_SECONDS),
        partial(repeatedly, run_jobs.renew, name="leases of runs", every=RENEW_SECONDS),
        partial(repeatedly, run_jobs.give_up, name="old runs", every=MEASURE_SECONDS),
        partial(repeatedly, measure, name="successes", every=MEASURE_SECONDS),
        partial(repeatedly, MeasureSpace(mongo, metrics), name="space", every=SPACE_SECONDS),
        partial(repeatedly, ForgetJobs(jobs, runs, shown, clock), name="list of jobs", every=SEE_SECONDS),
        partial(repeatedly, _watch(settings, surroundings, clock, jobs, metrics), name="watch", every=WATCH_SECONDS),
        partial(repeatedly, erase_people(settings, mongo, clock), name="erasures", every=LOOK_SECONDS),
    ]
    yield Application(
        http=operations_app(surroundings.checks(), registry),
        loops=[_heartbeat(settings, surroundings), *(after(clock.ready, loop) for loop in loops)],
        drain=run_jobs.drain,
        connections=[clock.run],
    )


def _watch(
    settings: SchedulerSettings,
    surroundings: Surroundings,
    clock: Clock,
    jobs: Sequence[ScheduledJob],
    metrics: Metrics,
) -> Watch:
    mongo, broker, thresholds = surroundings.mongo, surroundings.broker, settings.thresholds
    alerts, observations = MongoAlerts(mongo["alerts"]), MongoObservations(mongo)
    administrators = Administrators(
        Directory(mongo, zone=settings.zone), Suppressions(mongo, settings.zone), settings.admin_number
    )
    return Watch(
        lease=MongoLease(mongo["leases"], "watch", holder=settings.instance, span=WATCH_LEASE, clock=clock),
        observations=observations,
        observe_jobs=ObserveJobs(jobs, MongoJobRuns(mongo), MongoJobs(mongo), observations, clock),
        raise_alerts=RaiseAlerts(alerts, clock, thresholds),
        tell=TellPeople(
            alerts, administrators, Routes(mongo), Templates(mongo), RabbitRequests(broker), clock, settings.zone
        ),
        check=CheckDevices(observations, RabbitEnquiries(broker), clock),
        alerts=alerts,
        metrics=metrics,
        clock=clock,
        thresholds=thresholds,
    )


def _heartbeat(settings: SchedulerSettings, surroundings: Surroundings) -> Loop:
    beaten = Gauge(
        "heartbeat_timestamp_seconds", "When the last heartbeat was written.", registry=surroundings.registry
    )
    heartbeats = MongoHeartbeats(surroundings.mongo["heartbeats"], instance=settings.instance, service="scheduler")
    show_life = ShowLife(heartbeats, clock=SystemClock(), beaten=beaten.set)
    return partial(repeatedly, show_life, name="heartbeat", every=HEARTBEAT_SECONDS)
