"""What the dispatcher listens to: the subscription table."""

from collections.abc import Mapping
from typing import Any

from common.contracts.event import Event
from common.contracts.events import (
    AttemptsFinished,
    DeliveriesReported,
    MessageReceived,
    NotificationAccepted,
    SenderReported,
)
from common.messaging.broker import Broker, Envelope, RawEvent
from common.topology.declarations import FACTS, MESSAGES, NOTIFICATIONS, OUTCOMES, PARKED, REPORTS
from dispatcher.application.apply_reports import ApplyReports
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.hear_of_senders import HearOfSenders
from dispatcher.application.park_envelope import ParkEnvelope
from dispatcher.application.plan_notification import PlanNotifications
from dispatcher.application.receive_message import ReceiveMessage
from dispatcher.entrypoints.facts import Use, use


def subscribe(
    broker: Broker,
    *,
    plan: PlanNotifications,
    decide: DecideOutcomes,
    reports: ApplyReports,
    hear: HearOfSenders,
    park: ParkEnvelope,
    facts: Mapping[type[Event], Use],
    receive: ReceiveMessage,
) -> None:
    async def on_accepted(envelope: Envelope[NotificationAccepted]) -> None:
        await plan(envelope.event.notification_ids)

    async def on_finished(envelope: Envelope[AttemptsFinished]) -> None:
        await decide(envelope.event)

    async def on_reported(envelope: Envelope[DeliveriesReported | SenderReported]) -> None:
        match envelope.event:
            case DeliveriesReported() as event:
                await reports(event)
            case SenderReported() as news:
                await hear(news)

    async def on_fact(envelope: Envelope[Event]) -> None:
        await use(facts, envelope.event)

    async def on_message(envelope: Envelope[MessageReceived]) -> None:
        await receive(envelope.event)

    async def on_parked(envelope: Envelope[Any]) -> None:
        event: RawEvent = envelope.event
        await park(envelope.message_id, event.body, event.headers, event.routing_key)

    broker.subscribe(NOTIFICATIONS, NotificationAccepted, on_accepted, prefetch=4)
    broker.subscribe(OUTCOMES, AttemptsFinished, on_finished, prefetch=8)
    broker.subscribe(REPORTS, Event, on_reported, prefetch=8)
    broker.subscribe(FACTS, Event, on_fact, prefetch=50, traced=True)
    broker.subscribe(MESSAGES, MessageReceived, on_message, prefetch=20, traced=True)
    broker.subscribe(PARKED, None, on_parked, prefetch=4)
