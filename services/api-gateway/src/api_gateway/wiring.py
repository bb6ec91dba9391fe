"""Puts the service together; the only file that knows concrete classes."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from jwt.warnings import InsecureKeyLengthWarning

from api_gateway.adapters.argon2_passwords import Argon2Passwords
from api_gateway.adapters.bounded_announcements import BoundedAnnouncements
from api_gateway.adapters.jwks import REFRESH_SECONDS, Jwks
from api_gateway.adapters.mongo_alerts import MongoAlerts
from api_gateway.adapters.mongo_api_keys import MongoApiKeys
from api_gateway.adapters.mongo_audit_log import MongoAuditLog
from api_gateway.adapters.mongo_deliveries import MongoDeliveries
from api_gateway.adapters.mongo_directory import MongoDirectory
from api_gateway.adapters.mongo_early_requests import MongoEarlyRequests
from api_gateway.adapters.mongo_erasures import MongoErasures
from api_gateway.adapters.mongo_groups import MongoGroupLookups, MongoGroups
from api_gateway.adapters.mongo_jobs import MongoJobs
from api_gateway.adapters.mongo_ledger import MongoLedger
from api_gateway.adapters.mongo_notifications import MongoNotifications
from api_gateway.adapters.mongo_parked_envelopes import MongoParkedEnvelopes
from api_gateway.adapters.mongo_queue import MongoQueue
from api_gateway.adapters.mongo_reservations import MongoReservations
from api_gateway.adapters.mongo_restored import MongoRestored
from api_gateway.adapters.mongo_senders import MongoSenders
from api_gateway.adapters.mongo_sends import MongoSends
from api_gateway.adapters.mongo_sessions import MongoAttempts, MongoSessions
from api_gateway.adapters.mongo_statistics import MongoStatistics
from api_gateway.adapters.mongo_webhook_endpoints import MongoEndpoints, MongoMessages
from api_gateway.adapters.mongo_webhooks import MongoWebhookInbox, MongoWebhookSecrets
from api_gateway.adapters.people_alerts import AlertPeople
from api_gateway.adapters.rabbit_enquiries import RabbitEnquiries
from api_gateway.adapters.rabbit_replays import RabbitReplays
from api_gateway.adapters.rabbit_requests import RabbitRequests
from api_gateway.adapters.served_clock import ServedClock
from api_gateway.adapters.tokens import Rules, Tokens
from api_gateway.adapters.webhook_bus import RabbitWebhooks
from api_gateway.adapters.webhook_calls import WebhookCalls
from api_gateway.application.accept_notification import AcceptanceMetrics, AcceptNotification, Policy
from api_gateway.application.accept_request import AcceptRequest, RetryEarlyRequests
from api_gateway.application.act_on_deliveries import ActOnDeliveries
from api_gateway.application.ask_for_run import AskForRun
from api_gateway.application.audit_changes import AuditChanges
from api_gateway.application.cancel_notification import CancelNotification
from api_gateway.application.capacity import Capacity
from api_gateway.application.change_route import ChangeRoute
from api_gateway.application.check_sender import CheckSender
from api_gateway.application.compose_notification import ComposeNotification
from api_gateway.application.find_person import FindPerson
from api_gateway.application.hold_unfinished import HoldUnfinished
from api_gateway.application.identify import Identify
from api_gateway.application.issue_api_keys import IssueApiKeys
from api_gateway.application.keep_groups import KeepGroups
from api_gateway.application.look_at_queue import LookAtQueue
from api_gateway.application.manage_endpoints import ManageEndpoints
from api_gateway.application.once import Once
from api_gateway.application.preview_template import PreviewTemplate
from api_gateway.application.publish_template import PublishTemplate
from api_gateway.application.replace_webhook_secret import ReplaceWebhookSecret
from api_gateway.application.replay_envelopes import ReplayEnvelopes
from api_gateway.application.request_erasure import RequestErasure
from api_gateway.application.say_what_it_waits_for import SayWhatItWaitsFor
from api_gateway.application.seed_templates import SeedTemplates
from api_gateway.application.send_directly import AwaitOutcome
from api_gateway.application.sign_in import SignIn, Watchers
from api_gateway.application.suppress_recipients import SuppressRecipients
from api_gateway.application.sync_groups import SyncGroups
from api_gateway.application.take_webhook import TakeWebhook, WebhookMetrics
from api_gateway.application.tell_directory import TellDirectory
from api_gateway.application.tell_portals import PortalMetrics, TellPortals
from api_gateway.application.verify_api_keys import VerifyApiKeys
from api_gateway.application.watch_queue import WatchQueue
from api_gateway.application.work_out_figures import WorkOutFigures
from api_gateway.entrypoints import requests
from api_gateway.entrypoints.announcements import subscribe_announcements
from api_gateway.entrypoints.application import http_application
from api_gateway.entrypoints.uses import Uses
from api_gateway.settings import Settings
from common.config.whatsapp import PROVIDERS
from common.contracts.events import NotificationAccepted
from common.kernel.clock import Clock, SystemClock
from common.messaging.coalesced import Coalesced
from common.mongo.administrators import Administrators
from common.mongo.figures import Figures
from common.mongo.routes import Routes
from common.mongo.sender_limits import limits_of
from common.mongo.server_clock import ServerClock
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from common.runtime.loops import repeatedly
from common.runtime.process import Application, Loop, Surroundings
from common.runtime.secrets import following
from common.telemetry.logs import logger
from common.topology.declarations import ANNOUNCEMENTS, EVENTS

ANNOUNCED_AT_ONCE = 500
ANSWER_SLACK_SECONDS = 10.0
"""What planning, claiming and recording may add to a provider's time in a direct send."""
LONGEST_WAIT_SECONDS = 18.0
"""Of a direct send: with storing before it, and a database that hangs, it is answered within 30 s."""
ABANDONED_ON_THE_BUS = timedelta(seconds=10)
"""Nothing on the bus waits for an answer: a request that is not through by then died with its process."""
FLUSH_SECONDS = 5.0
STRONG_SECRET_BYTES = 32
"""What RFC 7518 asks of a key for HS256."""
log = logger()


@asynccontextmanager
async def wire(settings: Settings, surroundings: Surroundings) -> AsyncIterator[Application]:
    async def announce(ids: Sequence[str]) -> None:
        await surroundings.broker.publish(EVENTS, NotificationAccepted(notification_ids=list(ids)))

    mongo = surroundings.mongo
    server_clock = ServerClock(mongo.time)
    clock = ServedClock(server_clock, SystemClock())
    announcements: Coalesced[str] = Coalesced(announce, limit=ANNOUNCED_AT_ONCE)
    notifications, deliveries, senders = MongoNotifications(mongo), MongoDeliveries(mongo), MongoSenders(mongo)
    directory = MongoDirectory(mongo, zone=settings.zone)
    audit_entries, api_keys = MongoAuditLog(mongo), MongoApiKeys(mongo)
    identify, tokens, signing_in = _identify(settings, api_keys, clock)
    audit, suppressions = AuditChanges(audit_entries, clock), Suppressions(mongo, settings.zone)
    administrators = Administrators(directory, suppressions, settings.admin_number)
    groups, enquiries = MongoGroups(mongo), RabbitEnquiries(surroundings.broker)
    jobs = MongoJobs(mongo)
    reservations, queue = MongoReservations(mongo), MongoQueue(mongo)
    limits = limits_of(settings)
    mail_is_on = settings.mail_host is not None
    capacity = Capacity(queue, senders, clock, limits, mail_is_on=mail_is_on)
    policy = Policy(settings.provider_order, settings.unknown_wait_seconds, settings.zone)
    patience = min(settings.connect_timeout + settings.read_timeout + ANSWER_SLACK_SECONDS, LONGEST_WAIT_SECONDS)
    webhook_secrets = MongoWebhookSecrets(mongo, settings.webhook_secrets)
    webhook_bus = RabbitWebhooks(surroundings.broker, PROVIDERS)
    take_webhook = TakeWebhook(
        PROVIDERS,
        webhook_secrets,
        webhook_bus,
        MongoWebhookInbox(mongo),
        clock,
        WebhookMetrics(surroundings.registry, PROVIDERS),
    )
    templates, routes = Templates(mongo, clock), Routes(mongo)
    seed_templates = SeedTemplates(templates)
    accept = AcceptNotification(
        notifications,
        BoundedAnnouncements(announcements),
        capacity,
        clock,
        policy,
        AcceptanceMetrics(surroundings.registry),
        routes,
        ComposeNotification(directory, groups, templates, administrators, settings.zone, mail_is_on),
    )
    early = MongoEarlyRequests(mongo)
    requests.subscribe(
        surroundings.broker,
        AcceptRequest(
            accept,
            Once(reservations, clock, ABANDONED_ON_THE_BUS),
            early,
            clock,
            timedelta(seconds=settings.early_request_seconds),
        ),
    )
    retry_early = RetryEarlyRequests(early, RabbitRequests(surroundings.broker), clock)
    endpoints, messages = MongoEndpoints(mongo), MongoMessages(mongo)
    tell_portals = TellPortals(
        endpoints,
        messages,
        WebhookCalls(allow_private=settings.webhook_allow_private),
        clock,
        PortalMetrics(surroundings.registry),
        AlertPeople(audit, surroundings.broker),
        partial(surroundings.broker.bind, ANNOUNCEMENTS),
        ANNOUNCEMENTS.routing_keys,
    )
    subscribe_announcements(surroundings.broker, tell_portals)
    look_at_queue = LookAtQueue(queue, deliveries, capacity, clock, settings.provider_order)
    watch_queue = WatchQueue(look_at_queue, senders, MongoSends(mongo), clock, surroundings.stopping)
    sessions = MongoSessions(mongo)
    sign_in = SignIn(settings.accounts, Argon2Passwords(), tokens, MongoAttempts(mongo), sessions, audit, clock)
    watchers = Watchers(sessions, sign_in.holds)
    uses = Uses(
        identify=identify,
        sign_in=sign_in,
        watchers=watchers,
        watch_queue=watch_queue,
        audit=audit,
        audit_entries=audit_entries,
        api_keys=api_keys,
        issue_api_keys=IssueApiKeys(api_keys, identify.verify_key, clock),
        accept=accept,
        await_outcome=AwaitOutcome(deliveries, senders, clock, limits, patience),
        cancel_notification=CancelNotification(notifications, deliveries, clock),
        act=ActOnDeliveries(deliveries, clock),
        look_at_queue=look_at_queue,
        hold_unfinished=HoldUnfinished(MongoRestored(mongo), clock),
        say_what_it_waits_for=SayWhatItWaitsFor(senders, clock, limits),
        once=Once(reservations, clock),
        suppress=SuppressRecipients(suppressions, audit, clock),
        suppressions=suppressions,
        capacity=capacity,
        take_webhook=take_webhook,
        replace_webhook_secret=ReplaceWebhookSecret(PROVIDERS, webhook_secrets, clock),
        keep_groups=KeepGroups(groups, audit, clock),
        sync_groups=SyncGroups(MongoGroupLookups(mongo), enquiries, senders, audit, clock),
        notifications=notifications,
        deliveries=deliveries,
        senders=senders,
        check_sender=CheckSender(enquiries, senders, clock),
        directory=directory,
        find_person=FindPerson(directory, deliveries),
        tell_directory=TellDirectory(directory),
        jobs=jobs,
        alerts=MongoAlerts(mongo),
        ask_for_run=AskForRun(jobs, audit, settings.zone),
        ledger=MongoLedger(mongo),
        statistics=MongoStatistics(mongo),
        prices=settings.prices,
        work_out_figures=WorkOutFigures(Figures(mongo, settings.bonus), clock, settings.zone),
        replay_envelopes=ReplayEnvelopes(MongoParkedEnvelopes(mongo), RabbitReplays(surroundings.broker), clock),
        request_erasure=RequestErasure(MongoErasures(mongo), audit, clock),
        manage_endpoints=ManageEndpoints(
            endpoints,
            messages,
            clock,
            ANNOUNCEMENTS.routing_keys,
            allow_http=settings.webhook_allow_http,
            allow_private=settings.webhook_allow_private,
        ),
        tell_portals=tell_portals,
        templates=templates,
        publish_template=PublishTemplate(templates, routes, senders, audit, settings.zone),
        preview_template=PreviewTemplate(templates, senders, settings.zone),
        routes=routes,
        change_route=ChangeRoute(routes, templates, audit, clock),
        clock=clock,
        limits=limits,
        zone=settings.zone,
        admin_number=settings.admin_number,
    )

    def renew(changed: Settings) -> None:
        _say_weak(changed)
        tokens.trust(changed.jwt_secrets)
        sign_in.accounts = changed.accounts
        webhook_secrets.configured = changed.webhook_secrets

    async def drain() -> None:
        await asyncio.wait_for(
            asyncio.gather(
                announcements.flushed(),
                notifications.inserts.flushed(),
                reservations.settling.flushed(),
                tell_portals.drain(),
            ),
            FLUSH_SECONDS,
        )

    yield Application(
        http=http_application(uses, surroundings.checks(), surroundings.registry),
        loops=[
            partial(repeatedly, capacity.refresh, name="capacity", every=1.0),
            partial(repeatedly, seed_templates, name="templates", every=60.0),
            partial(repeatedly, reservations.note_given_up, name="given up keys", every=0.2),
            partial(repeatedly, take_webhook.forward, name="kept webhooks", every=1.0),
            partial(repeatedly, webhook_secrets.find, name="webhook secret", every=1.0),
            partial(repeatedly, retry_early, name="early requests", every=0.25),
            *signing_in,
            *following(settings, renew, surroundings.registry),
            partial(repeatedly, watch_queue.refresh, name="watched queue", every=1.0),
            partial(repeatedly, watchers.refresh, name="watching sessions", every=5.0),
            partial(repeatedly, tell_portals.refresh, name="webhook endpoints", every=1.0),
            partial(repeatedly, tell_portals.alert_people, name="webhook alerts", every=1.0),
            partial(repeatedly, tell_portals.step, name="webhook calls", every=0),
        ],
        connections=[
            server_clock.run, announcements.run, notifications.inserts.run, reservations.reserving.run, webhook_bus.run,
            reservations.settling.run, messages.inserts.run,
        ],
        drain=drain,
    )  # fmt: skip


def _say_weak(settings: Settings) -> None:
    if any(len(secret.encode()) < STRONG_SECRET_BYTES for secret in settings.jwt_secrets):
        log.warning("configuration.weak_secret", variable="KABAR_JWT_SECRET", advice="use 32 bytes or more")
        warnings.simplefilter("ignore", InsecureKeyLengthWarning)  # said once is enough


def _identify(settings: Settings, api_keys: MongoApiKeys, clock: Clock) -> tuple[Identify, Tokens, list[Loop]]:
    """Who may sign in how, what knows bearer tokens, and what has to run for it."""
    _say_weak(settings)
    verify_key = VerifyApiKeys(api_keys, clock)
    loops: list[Loop] = [partial(repeatedly, verify_key.note_used, name="used keys", every=2.0)]
    jwks = None if settings.jwks_url is None else Jwks(settings.jwks_url)
    if jwks is not None:
        loops.append(partial(repeatedly, jwks.refresh, name="token keys", every=REFRESH_SECONDS))
    tokens = Tokens(Rules(settings.jwt_secrets, jwks, settings.jwt_issuer, settings.jwt_audience))
    return Identify(tokens, verify_key), tokens, loops
