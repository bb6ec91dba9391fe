"""Register, change and remove the endpoints portals are told at."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Conflicting, invalid, missing
from api_gateway.domain.webhook_addresses import checked_url
from api_gateway.domain.webhook_endpoint import (
    ROTATION,
    Alert,
    Endpoint,
    Message,
    MessageStatus,
    Secret,
    unknown_events,
)
from api_gateway.domain.webhook_signatures import new_secret
from common.kernel.clock import Clock

MOST_ENDPOINTS = 50
"""All of them are held in memory, and each is looked after by itself."""


class Endpoints(Protocol):
    async def add(self, endpoint: Endpoint) -> None:
        """Store it; under an identity that is taken, instead of what was there."""
        ...

    async def all(self) -> list[Endpoint]: ...

    async def get(self, endpoint_id: str) -> Endpoint | None: ...

    async def change(self, endpoint_id: str, fields: Mapping[str, Any]) -> None: ...

    async def add_secret(
        self, endpoint_id: str, secret: Secret, *, rotation: str, old_until: datetime, now: datetime
    ) -> None:
        """Put it first, and have those without an end end then; the latest `rotation` again changes nothing."""
        ...

    async def disable(self, endpoint_id: str, alert: Alert) -> bool:
        """With what people are to be told of it; `False` when it is not enabled."""
        ...

    async def claim_alert(self, endpoint_id: str, alert: Alert, until: datetime) -> bool:
        """Keep others from telling people; `False` when somebody else was first."""
        ...

    async def alerted(self, endpoint_id: str, alert: Alert) -> None: ...

    async def remove(self, endpoint_id: str) -> None:
        """With everything that was to be told there."""
        ...


class Messages(Protocol):
    async def add(self, messages: Sequence[Message]) -> None:
        """Store them, once: doing it again with the same identities changes nothing."""
        ...

    async def due(self, endpoint_id: str, now: datetime, limit: int) -> list[Message]: ...

    async def claim(self, message: Message, *, mark: str, until: datetime) -> bool:
        """Take it for one call; `False` when somebody else was first."""
        ...

    async def settle(self, message_id: str, mark: str, fields: Mapping[str, Any]) -> None:
        """Write down what came of a call, unless somebody else has it by now."""
        ...

    async def page(
        self, endpoint_id: str, status: MessageStatus | None, before: tuple[datetime, str] | None, limit: int
    ) -> list[Message]: ...

    async def get(self, endpoint_id: str, message_id: str) -> Message | None: ...

    async def again(self, message_id: str, now: datetime) -> bool:
        """Have it called anew; `False` when a call of it is under way."""
        ...


@dataclass(frozen=True)
class ManageEndpoints:
    """Raises `Missing` for what is not there and `Refused` for what cannot be."""

    endpoints: Endpoints
    messages: Messages
    clock: Clock
    known_events: Sequence[str]
    allow_http: bool
    allow_private: bool

    async def create(
        self, endpoint_id: str, caller: Caller, *, url: str, events: Sequence[str], description: str
    ) -> Endpoint:
        if len(await self.endpoints.all()) >= MOST_ENDPOINTS:
            raise Conflicting(Code.CONFLICT, f"there are {MOST_ENDPOINTS} endpoints; remove one that nobody uses")
        endpoint = Endpoint(
            id=endpoint_id,
            url=self._url(url),
            events=self._events(events),
            description=description,
            secrets=(Secret(new_secret()),),
            created_by=caller.subject,
            created_at=self.clock.now(),
        )
        await self.endpoints.add(endpoint)
        return endpoint

    async def get(self, endpoint_id: str) -> Endpoint:
        found = await self.endpoints.get(endpoint_id)
        if found is None:
            raise missing("webhook endpoint", endpoint_id)
        return found

    async def change(
        self,
        endpoint_id: str,
        *,
        url: str | None,
        events: Sequence[str] | None,
        description: str | None,
        enabled: bool | None,
    ) -> Endpoint:
        """What is `None` stays. A new url or enabling it forgets its failures; what waited for it is called at once."""
        fields: dict[str, Any] = {}
        if url is not None:
            fields |= {"url": self._url(url), "failing_since": None}
        if events is not None:
            fields["events"] = list(self._events(events))
        if description is not None:
            fields["description"] = description
        if enabled is not None:
            fields |= {"enabled": enabled, "failing_since": None, "disabled_reason": None if enabled else "by a person"}
        await self.get(endpoint_id)
        if fields:
            await self.endpoints.change(endpoint_id, fields)
        return await self.get(endpoint_id)

    async def rotate(self, endpoint_id: str, rotation: str) -> Secret:
        """A new secret; each old one is used beside it for a day. The same `rotation` again gives the same secret."""
        await self.get(endpoint_id)
        now = self.clock.now()
        await self.endpoints.add_secret(
            endpoint_id, Secret(new_secret()), rotation=rotation, old_until=now + ROTATION, now=now
        )
        return (await self.get(endpoint_id)).secrets[0]

    async def message(self, endpoint_id: str, message_id: str) -> Message:
        found = await self.messages.get(endpoint_id, message_id)
        if found is None:
            raise missing("webhook message", message_id)
        return found

    async def retry(self, endpoint_id: str, message_id: str) -> Message:
        """Have it called anew, whatever became of it."""
        endpoint = await self.get(endpoint_id)
        await self.message(endpoint_id, message_id)
        if not endpoint.enabled:
            raise Conflicting(Code.CONFLICT, "the endpoint is disabled; enable it first")
        if not await self.messages.again(message_id, self.clock.now()):
            raise Conflicting(Code.CONFLICT, "a call of it is under way; look at it again in a moment")
        return await self.message(endpoint_id, message_id)

    def _url(self, url: str) -> str:
        return checked_url(url, allow_http=self.allow_http, allow_private=self.allow_private)

    def _events(self, events: Sequence[str]) -> tuple[str, ...]:
        unknown = unknown_events(events, self.known_events)
        if unknown:
            known = ", ".join(self.known_events)
            raise invalid(
                "events", f"nothing is told under {unknown[0][:60]!r}; known are {known}, and delivery.* or *"
            )
        return tuple(dict.fromkeys(events))
