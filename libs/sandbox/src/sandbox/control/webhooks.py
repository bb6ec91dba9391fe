"""``/control/webhooks/{provider}``: subscribe, say something, read the journal."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sandbox.control.answering import (
    ControlEndpoint,
    OrjsonResponse,
    RefusedError,
    provider_in_path,
    read_body,
    read_query,
)
from sandbox.ledger import Call, Message, MessageState
from sandbox.webhooks.subscription import Subscription
from sandbox.world import EVENTS

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.devices import Device
    from sandbox.ledger import ProviderName
    from sandbox.webhooks.courier import Courier
    from sandbox.world import World


class WebhookEndpoint(ControlEndpoint):
    """An endpoint over one provider's courier."""

    def courier(self, request: "Request") -> "Courier":
        return self.world(request).couriers[provider_in_path(request)]

    def subscription(self, request: "Request") -> Subscription:
        found = self.courier(request).subscription
        if found is None:
            raise RefusedError("no webhook is configured; PUT /control/webhooks/{provider} first", http_status=409)
        return found


class Webhooks(WebhookEndpoint):
    """Where a provider's webhooks go."""

    async def get(self, request: "Request") -> "Response":
        found = self.courier(request).subscription
        return OrjsonResponse({"subscription": None if found is None else _public(found)})

    async def put(self, request: "Request") -> "Response":
        subscription = await read_body(request, Subscription)
        self.courier(request).subscribe(subscription)
        return OrjsonResponse({"subscription": _public(subscription)})

    async def delete(self, request: "Request") -> "Response":
        self.courier(request).unsubscribe()
        return OrjsonResponse({"subscription": None})


class StatusEvent(BaseModel):
    """One more status event: of an accepted message by its provider id, or of an id that nobody knows."""

    model_config = ConfigDict(extra="forbid")

    message_id: str
    word: str


class StatusEvents(WebhookEndpoint):
    """Status events on demand."""

    async def post(self, request: "Request") -> "Response":
        event = await read_body(request, StatusEvent)
        subscription, name = self.subscription(request), provider_in_path(request)
        message, device = _find(self.world(request), name, event.message_id)
        body = EVENTS[name].status_event(message, device, event.word, subscription)
        self.courier(request).post("status", [body])
        return OrjsonResponse({"posted": body}, 202)


class IncomingEvent(BaseModel):
    """An incoming message; ``inbox_id`` may repeat, ``kind`` as in sandbox.fonnte.events and sandbox.wablas.events."""

    model_config = ConfigDict(extra="forbid")

    sender: str
    text: str = "Halo"
    kind: Literal["personal", "group", "non_text", "echo"] = "personal"
    inbox_id: Annotated[int, Field(ge=1)] = 1
    device: str | None = None


class IncomingEvents(WebhookEndpoint):
    """Incoming messages on demand."""

    async def post(self, request: "Request") -> "Response":
        event = await read_body(request, IncomingEvent)
        self.subscription(request)
        name = provider_in_path(request)
        device = _device(self.world(request), name, event.device)
        body = EVENTS[name].incoming_event(
            device, event.kind, sender=event.sender, text=event.text, inbox_id=event.inbox_id
        )
        self.courier(request).post("incoming", [body])
        return OrjsonResponse({"posted": body}, 202)


class JournalQuery(BaseModel):
    """With ``at_least`` the answer waits, at most ``wait_seconds``, until that many attempts were made."""

    model_config = ConfigDict(extra="forbid")

    at_least: Annotated[int, Field(ge=0)] = 0
    wait_seconds: Annotated[float, Field(ge=0, le=60)] = 10.0


class Journal(WebhookEndpoint):
    """Every attempt to deliver an event, oldest first."""

    async def get(self, request: "Request") -> "Response":
        query, journal = read_query(request, JournalQuery), self.courier(request).journal
        await self.world(request).ledger.bell.wait_until(
            lambda: len(journal) >= query.at_least, seconds=query.wait_seconds
        )
        return OrjsonResponse({"items": [attempt.as_json() for attempt in journal]})


def _device(world: "World", name: "ProviderName", wanted: str | None) -> "Device":
    devices = world.provider(name).devices
    found = next(iter(devices)) if wanted is None else devices.named(wanted)
    if found is None:
        names = ", ".join(device.name for device in devices)
        raise RefusedError(f"{name} has no such device; there are: {names}", http_status=404)
    return found


def _find(world: "World", name: "ProviderName", message_id: str) -> "tuple[Message, Device]":
    """The message and its device; a made-up message for an id that is in no ledger."""
    message = world.provider(name).transit.find(message_id)
    if message is None:
        nowhere = Call(0, name, "", 0.0)
        message = Message(999_999_999, nowhere, message_id, "6281200000049", "", None, MessageState.SENT)
    return message, _device(world, name, message.call.device or None)


def _public(subscription: Subscription) -> dict[str, Any]:
    """Without the address, whose path may be the secret."""
    return subscription.model_dump(mode="json", exclude={"url", "extra_fields"})
