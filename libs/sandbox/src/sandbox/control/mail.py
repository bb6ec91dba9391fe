"""``/mail``: the mail server's address, and the mailbox."""

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from sandbox.control.answering import ControlEndpoint, OrjsonResponse, RefusedError, read_query
from sandbox.mail.mailbox import as_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response


class MailQuery(BaseModel):
    """Whose mails, and how many to wait for."""

    model_config = ConfigDict(extra="forbid")

    to: str | None = None
    at_least: Annotated[int, Field(ge=0)] = 0
    wait_seconds: Annotated[float, Field(ge=0, le=60)] = 10.0


class MailAddress(ControlEndpoint):
    """Where mails are taken, and on how many connections they came."""

    async def get(self, request: "Request") -> "Response":
        world = self.world(request)
        host, port = world.mail_address
        return OrjsonResponse({"host": host, "port": port, "connections": world.post.opened})


class Mails(ControlEndpoint):
    """All mails, oldest first."""

    async def get(self, request: "Request") -> "Response":
        world = self.world(request)
        query = read_query(request, MailQuery)
        box = world.post.mailbox
        if query.at_least:
            await world.ledger.bell.wait_until(
                lambda: len(box.to(query.to)) >= query.at_least, seconds=query.wait_seconds
            )
        return OrjsonResponse({"items": [as_json(mail) for mail in box.to(query.to)]})

    async def delete(self, request: "Request") -> "Response":
        self.world(request).post.mailbox.clear()
        return OrjsonResponse({"deleted": True})


class MailByIndex(ControlEndpoint):
    """One mail."""

    async def get(self, request: "Request") -> "Response":
        mail = self.world(request).post.mailbox.get(request.path_params["index"])
        if mail is None:
            raise RefusedError(f"no mail {request.path_params['index']}", http_status=404)
        return OrjsonResponse(as_json(mail))
