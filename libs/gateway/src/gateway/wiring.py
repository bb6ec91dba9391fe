"""How a gateway is put together; a provider's service brings its settings and its dialect."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from common.contracts.events import (
    AttemptOutcome,
    AttemptsFinished,
    AttemptsRequested,
    DeliveriesReported,
    EnquiriesRequested,
    Report,
    WebhooksReceived,
)
from common.http.operations import operations_app
from common.messaging.broker import Envelope
from common.messaging.coalesced import Coalesced
from common.mongo.gate import LATENESS, MongoGate
from common.mongo.server_clock import ServerClock
from common.runtime.loops import after, repeatedly
from common.runtime.process import Application, Surroundings
from common.runtime.secrets import following
from common.topology.declarations import ATTEMPTS, attempts_queue, enquiries_queue, webhooks_queue
from gateway.adapters.broker_news import BrokerNews
from gateway.adapters.http_provider import http_provider
from gateway.adapters.mongo_deliveries import MongoDeliveries
from gateway.adapters.mongo_devices import MongoDevices
from gateway.adapters.mongo_groups import MongoGroups
from gateway.adapters.mongo_senders import MongoSenders
from gateway.adapters.mongo_slots import MongoSlots
from gateway.adapters.observer import AttemptObserver, WebhookCounter
from gateway.application.check_devices import CheckDevices
from gateway.application.find_groups import FindGroups
from gateway.application.keep_slot import KeepSlot
from gateway.application.know_devices import KnowDevices
from gateway.application.make_attempts import MakeAttempts
from gateway.application.ports import Accounts, Asking, Provider
from gateway.application.prove_attempts import ProveAttempts
from gateway.application.read_webhooks import ReadWebhooks
from gateway.application.report_orphans import ReportOrphans
from gateway.application.room import Room
from gateway.domain.account import Account, by_sender
from gateway.domain.device import Device
from gateway.domain.dialect import Dialect
from gateway.domain.enquiries import Enquiries
from gateway.domain.webhooks import Webhooks
from gateway.entrypoints.consumers import on_attempts_requested, on_enquiries_requested, on_webhooks_received
from gateway.settings import GatewaySettings, Told

ENVELOPES_AT_ONCE = 32
"""More than the calls need: an envelope with one slow call keeps its place, and must not keep the others waiting."""
CALLS_AT_ONCE = 100
OUTCOMES_AN_ENVELOPE = 100
WEBHOOK_ENVELOPES_AT_ONCE = 8
ENQUIRIES_AT_ONCE = 64
"""Envelopes; many more than calls, so that one with a last enquiry waits for none whose provider is silent."""
REPORTS_AN_ENVELOPE = 100
ANSWER_SPARE_SECONDS = 10.0
"""Beyond both timeouts until an outcome must be known: what starting may take, what a call may take longer than its
timeouts, and telling."""
CUT_AFTER_SECONDS = 20.0
"""How long calls under way get after SIGTERM; what follows must fit into the rest of the 30 s."""


@asynccontextmanager
async def http_gateway(
    settings: GatewaySettings,
    surroundings: Surroundings,
    dialect: Dialect,
    *,
    enquiries: Enquiries,
    webhooks: Webhooks,
    max_text_chars: int,
) -> AsyncIterator[Application]:
    """The gateway of a provider that is spoken to over HTTP."""
    async with http_provider(
        dialect, connect_timeout=settings.connect_timeout, read_timeout=settings.read_timeout
    ) as provider:
        clock = ServerClock(surroundings.mongo.time)
        accounts = by_sender(settings.accounts())

        def renew(changed: GatewaySettings) -> None:
            accounts.clear()
            accounts.update(by_sender(changed.accounts()))

        application = gateway(settings, surroundings, accounts, provider, clock, max_text_chars=max_text_chars)
        hear(
            settings, surroundings, application, accounts, clock,
            asking=provider, enquiries=enquiries, webhooks=webhooks,
        )  # fmt: skip
        application.loops += following(settings, renew, surroundings.registry)
        yield application


def gateway(
    settings: Told,
    surroundings: Surroundings,
    accounts: Accounts,
    provider: Provider,
    clock: ServerClock,
    *,
    max_text_chars: int,
    calls_at_once: int = CALLS_AT_ONCE,
) -> Application:
    """The gateway of any provider. It keeps the clock set, and nothing is handled before that is."""
    name, broker, mongo = settings.gateway_of, surroundings.broker, surroundings.mongo
    senders = MongoSenders(mongo["senders"], provider=name, senders=accounts, max_text_chars=max_text_chars)
    observer = AttemptObserver(name, senders=senders, registry=surroundings.registry)
    answer_within = settings.connect_timeout + settings.read_timeout + ANSWER_SPARE_SECONDS
    deliveries = MongoDeliveries(mongo["deliveries"], answer_within=timedelta(seconds=answer_within))

    async def publish(outcomes: list[AttemptOutcome]) -> None:
        await broker.publish(ATTEMPTS, AttemptsFinished(provider=name, outcomes=outcomes))

    keep_slot = KeepSlot(
        clock=clock, slots=MongoSlots(MongoGate(mongo["senders"])), observer=observer, lateness=LATENESS
    )
    outcomes = Coalesced(publish, limit=OUTCOMES_AN_ENVELOPE)
    make_attempts = MakeAttempts(
        instance=settings.instance,
        stopping=surroundings.stopping.is_set,
        accounts=accounts,
        provider=provider,
        deliveries=deliveries,
        keep_slot=keep_slot,
        report_orphans=ReportOrphans(deliveries=deliveries, outcomes=outcomes, clock=clock, observer=observer),
        outcomes=outcomes,
        clock=clock,
        observer=observer,
        room=Room(calls_at_once),
        connect_within=settings.connect_timeout,
        max_text_chars=max_text_chars,
    )
    broker.begin_after(clock.ready)
    broker.subscribe(
        attempts_queue(name), AttemptsRequested, on_attempts_requested(make_attempts), prefetch=ENVELOPES_AT_ONCE
    )

    async def show_life() -> None:
        # Others take over at once from a gateway that nothing can be asked of any more.
        if broker.connected and not surroundings.stopping.is_set():
            await senders.show_life()

    async def cut_what_takes_too_long() -> None:
        await surroundings.stopping.wait()
        await asyncio.sleep(CUT_AFTER_SECONDS)
        provider.cut()

    return Application(
        http=operations_app({**surroundings.checks(), "senders": lambda: senders.registered}, surroundings.registry),
        loops=[after(clock.ready, lambda: repeatedly(show_life, name="senders", every=1.0))],
        connections=[
            outcomes.run,
            clock.run,
            cut_what_takes_too_long,
        ],
    )


def hear(
    settings: GatewaySettings,
    surroundings: Surroundings,
    application: Application,
    accounts: Accounts,
    clock: ServerClock,
    *,
    asking: Asking,
    enquiries: Enquiries,
    webhooks: Webhooks,
) -> None:
    """Have a gateway listen to what its provider posts."""
    name, broker = settings.gateway_of, surroundings.broker

    async def publish(reports: list[Report]) -> None:
        await broker.publish(ATTEMPTS, DeliveriesReported(provider=name, reports=reports))

    reports = Coalesced(publish, limit=REPORTS_AN_ENVELOPE)
    news, devices = BrokerNews(broker), MongoDevices(surroundings.mongo["senders"])
    read = ReadWebhooks(
        name,
        webhooks=webhooks,
        devices=KnowDevices(accounts, asking, enquiries),
        kept=devices,
        reports=reports,
        news=news,
        observer=WebhookCounter(name, surroundings.registry),
    )
    prove = ProveAttempts(accounts, asking=asking, enquiries=enquiries, reports=reports, clock=clock)
    groups = MongoGroups(surroundings.mongo, provider=name, clock=clock)
    find_groups = FindGroups(accounts, asking=asking, enquiries=enquiries, groups=groups, clock=clock)

    async def look(account: Account) -> Device:
        return enquiries.read_device(await asking.ask(enquiries.device(account)))

    check_devices = CheckDevices(accounts, look=look, devices=devices, news=news, clock=clock)
    hear_enquiries(settings, surroundings, on_enquiries_requested(prove, find_groups, check_devices))
    broker.subscribe(
        webhooks_queue(name), WebhooksReceived, on_webhooks_received(read), prefetch=WEBHOOK_ENVELOPES_AT_ONCE
    )
    application.connections.append(reports.run)


def hear_enquiries(
    settings: Told, surroundings: Surroundings, handle: Callable[[Envelope[EnquiriesRequested]], Awaitable[None]]
) -> None:
    """Have a gateway listen to what its provider is to be asked."""
    name = settings.gateway_of
    surroundings.broker.subscribe(enquiries_queue(name), EnquiriesRequested, handle, prefetch=ENQUIRIES_AT_ONCE)
