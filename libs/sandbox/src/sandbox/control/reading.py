"""``/control/accepted``, ``/control/calls``, ``/control/counts``: the ledger."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from sandbox.control.answering import ControlEndpoint, OrjsonResponse, read_query
from sandbox.ledger import MessageState, ProviderName, Selection, call_as_json, count, message_as_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class LedgerQuery(BaseModel):
    """Filters of the ledger; ``since`` is the first index wanted, ``limit`` at most 200,000 entries.

    With ``at_least`` the answer waits, at most ``wait_seconds``, until that many entries are found.
    """

    model_config = ConfigDict(extra="forbid")

    provider: ProviderName | None = None
    recipient: str | None = None
    device: str | None = None
    since: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=200_000)] = 10_000
    at_least: Annotated[int, Field(ge=0)] = 0
    wait_seconds: Annotated[float, Field(ge=0, le=60)] = 10.0

    def selection(self) -> Selection:
        return Selection(
            provider=self.provider,
            recipient=self.recipient,
            device=self.device,
            since=self.since,
            limit=self.limit,
        )


class MessageQuery(LedgerQuery):
    """The same, and a state of messages."""

    state: MessageState | None = None

    def selection(self) -> Selection:
        return replace(super().selection(), state=self.state)


class Accepted(ControlEndpoint):
    """Messages that a provider accepted, oldest first."""

    async def get(self, request: "Request") -> "Response":
        ledger = self.world(request).ledger
        query = read_query(request, MessageQuery)
        selection = query.selection()
        found = selection.messages(ledger)
        if len(found) < query.at_least:
            await ledger.bell.wait_until(
                lambda: len(selection.messages(ledger)) >= query.at_least, seconds=query.wait_seconds
            )
            found = selection.messages(ledger)
        return OrjsonResponse(
            {"items": [message_as_json(message) for message in found], "next_index": ledger.next_message}
        )


class Calls(ControlEndpoint):
    """Every call, accepted or not, oldest first."""

    async def get(self, request: "Request") -> "Response":
        ledger = self.world(request).ledger
        query = read_query(request, LedgerQuery)
        selection = query.selection()
        found = selection.calls(ledger)
        if len(found) < query.at_least:
            await ledger.bell.wait_until(
                lambda: len(selection.calls(ledger)) >= query.at_least, seconds=query.wait_seconds
            )
            found = selection.calls(ledger)
        return OrjsonResponse({"items": [call_as_json(call) for call in found], "next_index": ledger.next_call})


class Counts(ControlEndpoint):
    """How many were accepted and called per provider, and what was accepted twice."""

    async def get(self, request: "Request") -> "Response":
        return OrjsonResponse(count(self.world(request).ledger))
