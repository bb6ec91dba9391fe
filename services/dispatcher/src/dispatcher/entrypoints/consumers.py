"""What the dispatcher listens to: the subscription table."""

from collections.abc import Mapping
from typing import Any

from common.contracts.event import Event
from common.contracts.events import AttemptsFinished, NotificationAccepted
from common.messaging.broker import Broker, Envelope, RawEvent
from common.topology.declarations import FACTS, NOTIFICATIONS, OUTCOMES, PARKED
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.park_envelope import ParkEnvelope
from dispatcher.application.plan_notification import PlanNotifications
from dispatcher.entrypoints.facts import Use, use


def subscribe(
    broker: Broker,
    *,
    plan: PlanNotifications,
    decide: DecideOutcomes,
    park: ParkEnvelope,
    facts: Mapping[type[Event], Use],
) -> None:
    async def on_accepted(envelope: Envelope[NotificationAccepted]) -> None:
        await plan(envelope.event.notification_ids)

    async def on_finished(envelope: Envelope[AttemptsFinished]) -> None:
        await decide(envelope.event)

    async def on_fact(envelope: Envelope[Event]) -> None:
        await use(facts, envelope.event)

    async def on_parked(envelope: Envelope[Any]) -> None:
        event: RawEvent = envelope.event
        await park(envelope.message_id, event.body, event.headers, event.routing_key)

    broker.subscribe(NOTIFICATIONS, NotificationAccepted, on_accepted, prefetch=4)
    broker.subscribe(OUTCOMES, AttemptsFinished, on_finished, prefetch=8)
    broker.subscribe(FACTS, Event, on_fact, prefetch=50)
    broker.subscribe(PARKED, None, on_parked, prefetch=4)
