"""The only file of the dispatcher that knows concrete classes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from common.config.whatsapp import PROVIDERS
from common.contracts.documents import SenderDocument
from common.contracts.vocabulary import MAIL_PROVIDER
from common.http.operations import operations_app
from common.mongo.directory import Directory
from common.mongo.gate import MongoGate
from common.mongo.sender_limits import limits_of
from common.mongo.server_clock import ServerClock
from common.mongo.suppressions import Suppressions
from common.mongo.templates import Templates
from common.runtime.loops import after
from common.runtime.process import Application, Surroundings
from dispatcher.adapters.mongo_conversations import MongoConversations
from dispatcher.adapters.mongo_deliveries import MongoDeliveries
from dispatcher.adapters.mongo_early_reports import MongoEarlyReports
from dispatcher.adapters.mongo_group_ids import MongoGroupIds
from dispatcher.adapters.mongo_notifications import MongoNotifications
from dispatcher.adapters.mongo_parked_envelopes import MongoParkedEnvelopes
from dispatcher.adapters.mongo_queue_lengths import MongoQueueLengths
from dispatcher.adapters.mongo_repeats import MongoRepeats
from dispatcher.adapters.mongo_senders import MongoSenders
from dispatcher.adapters.mongo_untold import MongoUntold
from dispatcher.adapters.rabbit_answers import RabbitAnswers
from dispatcher.adapters.rabbit_gateways import RabbitGateways
from dispatcher.adapters.rabbit_requests import RabbitRequests
from dispatcher.adapters.rabbit_subscribers import RabbitSubscribers
from dispatcher.application.announce import Announce
from dispatcher.application.apply_reports import ApplyReports
from dispatcher.application.ask_for_proof import AskForProof
from dispatcher.application.claim_deliveries import ClaimDeliveries
from dispatcher.application.compose_deliveries import ComposeDeliveries
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.find_audience import FindAudience
from dispatcher.application.hear_of_senders import HearOfSenders
from dispatcher.application.keep_directory import KeepDirectory
from dispatcher.application.keep_hours import KeepHours
from dispatcher.application.look_again import LookAgain, NotificationCancelled, OptedOut
from dispatcher.application.lookout import Lookout
from dispatcher.application.measure_queue import MeasureQueue
from dispatcher.application.measure_senders import MeasureSenders
from dispatcher.application.park_envelope import ParkEnvelope
from dispatcher.application.plan_broadcasts import PlanBroadcasts
from dispatcher.application.plan_notification import PlanNotifications
from dispatcher.application.receive_message import ReceiveMessage
from dispatcher.application.recipient_caps import RecipientCaps
from dispatcher.application.respect_payments import NothingLeftToPay
from dispatcher.application.serve_sender import ServeSender
from dispatcher.application.store_deliveries import StoreDeliveries
from dispatcher.entrypoints.consumers import subscribe
from dispatcher.entrypoints.facts import facts_table
from dispatcher.entrypoints.ticks import SenderLoops, loops
from dispatcher.metrics import Metrics
from dispatcher.settings import Settings


@asynccontextmanager
async def wire(settings: Settings, surroundings: Surroundings) -> AsyncIterator[Application]:
    mongo, broker, stopping = surroundings.mongo, surroundings.broker, surroundings.stopping
    metrics = Metrics(surroundings.registry)
    clock = ServerClock(mongo.time)
    announce = Announce(RabbitSubscribers(broker), MongoUntold(mongo), clock, metrics)
    deliveries = MongoDeliveries(mongo["deliveries"], announce.put)
    senders = MongoSenders(mongo["senders"])
    gateways = RabbitGateways(broker)
    lookout = Lookout(senders, clock, PROVIDERS)
    notifications = MongoNotifications(mongo, clock)
    directory = Directory(mongo, zone=settings.zone)
    suppressions = Suppressions(mongo, settings.zone)
    mail_is_on = settings.mail_host is not None
    compose = ComposeDeliveries(Templates(mongo), suppressions, MongoRepeats(mongo), lookout, settings.zone, mail_is_on)
    store = StoreDeliveries(notifications, deliveries, compose, lookout, metrics)
    plan = PlanNotifications(notifications, store, compose, lookout, metrics)
    broadcasts = PlanBroadcasts(
        notifications,
        deliveries,
        store,
        FindAudience(notifications, directory),
        compose,
        lookout,
        metrics,
        stopping.is_set,
        asyncio.Lock(),
    )
    decide = DecideOutcomes(deliveries, senders, lookout, settings.retry_plan(), metrics)
    reports = ApplyReports(deliveries, MongoEarlyReports(mongo["early_reports"]), decide, metrics)
    prove = AskForProof(deliveries, gateways, lookout)
    park = ParkEnvelope(MongoParkedEnvelopes(mongo["parked_envelopes"]), clock, metrics)
    keep = KeepDirectory(directory, RabbitRequests(broker), clock)
    receive = ReceiveMessage(suppressions, MongoConversations(mongo), RabbitAnswers(broker), clock)
    measure = MeasureQueue(MongoQueueLengths(mongo["deliveries"]), lookout, metrics)
    caps = RecipientCaps(settings.recipient_limits(), MongoGate(mongo["recipient_gates"]), deliveries, lookout, metrics)
    hours = KeepHours(settings.zone, deliveries, lookout, metrics)
    objections = (NotificationCancelled(notifications), OptedOut(suppressions), NothingLeftToPay(directory))
    look_again = LookAgain(objections, deliveries, lookout, metrics)
    gate, group_ids = MongoGate(mongo["senders"]), MongoGroupIds(mongo)
    limits_by_provider = limits_of(settings)

    def serve(sender: SenderDocument) -> ServeSender:
        identity, limits = sender["_id"], limits_by_provider(sender["provider"])
        return ServeSender(
            identity=identity,
            limits=limits,
            ageing=settings.ageing(),
            deliveries=deliveries,
            senders=senders,
            gate=gate,
            gateways=gateways,
            claim=ClaimDeliveries(
                identity,
                limits.gap,
                deliveries,
                gateways,
                caps,
                hours,
                look_again,
                lookout,
                metrics,
                group_ids,
            ),
            lookout=lookout,
            metrics=metrics,
            stopping=stopping.is_set,
        )

    broker.begin_after(clock.ready)
    subscribe(
        broker,
        plan=plan,
        decide=decide,
        reports=reports,
        hear=HearOfSenders(decide),
        park=park,
        facts=facts_table(keep),
        receive=receive,
    )
    senders_served = SenderLoops(lookout, serve, served=lambda provider: settings.enabled or provider == MAIL_PROVIDER)

    async def drain() -> None:
        await asyncio.gather(senders_served.drain(), broadcasts.drain())

    yield Application(
        http=operations_app(surroundings.checks(), surroundings.registry),
        loops=[
            after(clock.ready, loop)
            for loop in loops(
                senders=senders_served,
                plan=plan,
                broadcasts=broadcasts,
                decide=decide,
                reports=reports,
                prove=prove,
                measure=measure,
                measure_senders=MeasureSenders(senders, limits_by_provider, clock, metrics),
                announce=announce,
            )
        ],
        drain=drain,
        connections=[clock.run],
    )
