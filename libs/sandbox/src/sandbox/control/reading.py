"""``/control/accepted``, ``/control/calls``, ``/control/counts``: the ledger."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from sandbox.control.answering import ControlEndpoint, OrjsonResponse, read_query
from sandbox.ledger import ProviderName, Selection, call_as_json, count, message_as_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class LedgerQuery(BaseModel):
    """Filters of the ledger; ``since`` is the first index wanted, ``limit`` at most 200,000 entries."""

    model_config = ConfigDict(extra="forbid")

    provider: ProviderName | None = None
    recipient: str | None = None
    device: str | None = None
    since: Annotated[int, Field(ge=0)] = 0
    limit: Annotated[int, Field(ge=1, le=200_000)] = 10_000

    def selection(self) -> Selection:
        return Selection(
            provider=self.provider,
            recipient=self.recipient,
            device=self.device,
            since=self.since,
            limit=self.limit,
        )


class Accepted(ControlEndpoint):
    """Messages that a provider accepted, oldest first."""

    async def get(self, request: "Request") -> "Response":
        ledger = self.world(request).ledger
        found = read_query(request, LedgerQuery).selection().messages(ledger)
        return OrjsonResponse(
            {"items": [message_as_json(message) for message in found], "next_index": ledger.next_message}
        )


class Calls(ControlEndpoint):
    """Every call, accepted or not, oldest first."""

    async def get(self, request: "Request") -> "Response":
        ledger = self.world(request).ledger
        found = read_query(request, LedgerQuery).selection().calls(ledger)
        return OrjsonResponse({"items": [call_as_json(call) for call in found], "next_index": ledger.next_call})


class Counts(ControlEndpoint):
    """How many were accepted and called per provider, and what was accepted twice."""

    async def get(self, request: "Request") -> "Response":
        return OrjsonResponse(count(self.world(request).ledger))
