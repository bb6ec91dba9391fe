"""What other services ask for on the bus."""

import hashlib

import orjson

from api_gateway.application.accept_request import AcceptRequest, EarlyRequest, Request
from api_gateway.domain.refusals import Refused
from api_gateway.entrypoints.bodies import submission_of
from common.contracts.facts import NotificationRequested
from common.kernel.failures import Permanent
from common.messaging.broker import Broker, Envelope
from common.telemetry import tracing
from common.topology.declarations import REQUESTS

AT_ONCE = 20
_OF_THE_EVENT = {"event_id", "occurred_at", "version"}


def subscribe(broker: Broker, accept: AcceptRequest) -> None:
    async def on_requested(envelope: Envelope[NotificationRequested]) -> None:
        await accept(request_of(envelope))

    broker.subscribe(REQUESTS, NotificationRequested, on_requested, prefetch=AT_ONCE, traced=True)


def request_of(envelope: Envelope[NotificationRequested]) -> Request:
    """Raises `Permanent` for what can never be accepted."""
    event = envelope.event
    asked = event.model_dump(mode="json", exclude=_OF_THE_EVENT)
    fingerprint = hashlib.sha256(b"bus\n" + orjson.dumps(asked, option=orjson.OPT_SORT_KEYS)).hexdigest()
    try:
        submission = submission_of(event)
    except Refused as refused:
        raise Permanent(refused.error) from refused
    came = EarlyRequest(
        event.event_id,
        envelope.message_id,
        envelope.replay,
        event.model_dump_json(),
        traceparent=tracing.current_traceparent(),
    )
    return Request(came, fingerprint, submission)
