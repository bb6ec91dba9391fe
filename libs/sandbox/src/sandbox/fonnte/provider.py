"""Fonnte's front: who calls, what for, and the answer."""

from typing import TYPE_CHECKING, Any

from sandbox.devices import fingerprint
from sandbox.fonnte.caller import Caller
from sandbox.fonnte.dialect import FonnteVariants, refusal
from sandbox.fonnte.endpoints import ENDPOINTS
from sandbox.fonnte.failure import FonnteFailure
from sandbox.fonnte.send import request_id
from sandbox.fonnte.targets import to_international
from sandbox.ledger import Ledger, ProviderName
from sandbox.request import Request
from sandbox.wire.exchange import HTML, Answer, Exchange
from sandbox.wire.forms import UnreadableBodyError, read_json, read_multipart, read_urlencoded

if TYPE_CHECKING:
    from sandbox.devices import Devices
    from sandbox.transit import Transit

PREFIX = "/fonnte/"
NOT_FOUND = Answer(404, b"<html><head><title>404 Not Found</title></head><body></body></html>", HTML)


class Fonnte:
    """The simulated provider; see ``sandbox.request.Provider``."""

    name = ProviderName.FONNTE

    def __init__(self, devices: "Devices", account_token: str, ledger: Ledger, transit: "Transit") -> None:
        self.devices = devices
        self.variants = FonnteVariants()
        self.transit = transit
        self._account_token = account_token
        self._ledger = ledger

    def read(self, exchange: Exchange) -> Request:
        endpoint = exchange.path[len(PREFIX) :]
        call = self._ledger.open_call(self.name, endpoint, exchange.received_at)
        request = Request(exchange, call, endpoint, endpoint == "send")
        request.token = self._rotate(exchange.header(b"authorization").decode("latin-1"), call.index)
        device = self.devices.with_token(request.token)
        if device is None:
            call.fingerprint = fingerprint(request.token)
        else:
            request.device = device
            call.device = device.name
            call.fingerprint = device.fingerprint
        request.encoding, request.fields = _decode(exchange)
        if isinstance(request.fields, dict):
            target = request.fields.get("target")
            if isinstance(target, str):
                request.recipients = [to_international(part.partition("|")[0], "62") for part in target.split(",")]
                call.recipient = ",".join(request.recipients)
        return request

    def answer(self, request: Request) -> Answer:
        endpoint = ENDPOINTS.get(request.endpoint)
        if endpoint is None or request.exchange.method != "POST":
            return NOT_FOUND
        try:
            return Answer.json(endpoint(self._caller(request)))
        except FonnteFailure as failure:
            return self.refuse(request, failure.reason, None)

    def refuse(self, request: Request, reason: str, http_status: int | None) -> Answer:
        content = refusal(reason, self.variants, endpoint=request.endpoint, request_id=request_id(request.call.index))
        return Answer.json(content, http_status or 200)

    def _caller(self, request: Request) -> Caller:
        is_account = request.token == self._account_token
        return Caller(request, is_account, self.devices, self.variants, self.transit, self._ledger)

    def _rotate(self, authorization: str, turn: int) -> str:
        """A comma list of tokens rotates the devices of one account."""
        if "," not in authorization:
            return authorization
        tokens = [token.strip() for token in authorization.split(",")]
        return tokens[turn % len(tokens)]


def _decode(exchange: Exchange) -> tuple[str, Any]:
    content_type = exchange.header(b"content-type")
    try:
        if content_type.startswith(b"application/x-www-form-urlencoded"):
            return "form", read_urlencoded(exchange.body)
        if content_type.startswith(b"multipart/form-data"):
            return "multipart", read_multipart(exchange.body, content_type)
        if content_type.startswith(b"application/json"):
            return "json", read_json(exchange.body)
    except UnreadableBodyError:
        return "none", None
    return "none", None
