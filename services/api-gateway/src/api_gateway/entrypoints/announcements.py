"""What the bus tells that portals may want to hear."""

from typing import Any

import orjson

from api_gateway.application.tell_portals import TellPortals
from common.contracts.event import Event
from common.kernel.failures import Permanent
from common.messaging.broker import Broker, Envelope, RawEvent
from common.topology.declarations import ANNOUNCEMENTS


def subscribe_announcements(broker: Broker, tell: TellPortals) -> None:
    """Nothing is decoded that no portal wants."""

    async def on_announcement(envelope: Envelope[Any]) -> None:
        raw: RawEvent = envelope.event
        if not tell.wanted(raw.routing_key):
            return
        event: Any = _class(raw.routing_key).decode(raw.body)
        await tell.keep(raw.routing_key, event.event_id, event.occurred_at, orjson.loads(raw.body))

    broker.subscribe(ANNOUNCEMENTS, None, on_announcement, prefetch=200)


def _class(routing_key: str) -> type[Event]:
    found = Event.catalogue.get(routing_key)
    if found is None:
        raise Permanent(f"no event is known under {routing_key[:80]!r}")
    return found
