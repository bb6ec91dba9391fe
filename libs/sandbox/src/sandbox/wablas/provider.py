"""Wablas' front: who calls, what for, and the answer."""

from typing import TYPE_CHECKING, Any

from sandbox.devices import fingerprint
from sandbox.ledger import Ledger, ProviderName
from sandbox.request import Request
from sandbox.wablas.caller import Caller
from sandbox.wablas.dialect import BAD_PHONE, BAD_TOKEN, REASONS, WablasFailure, WablasVariants
from sandbox.wablas.endpoints import SENDING, find_endpoint
from sandbox.wablas.send import refuse_every_phone, to_international
from sandbox.wire.exchange import HTML, Answer, Exchange
from sandbox.wire.forms import UnreadableBodyError, read_json, read_multipart, read_urlencoded

if TYPE_CHECKING:
    from sandbox.devices import Device, Devices
    from sandbox.transit import Transit

PREFIX = "/wablas/"
NOT_FOUND = Answer(404, b"<html><head><title>404 Not Found</title></head><body></body></html>", HTML)


class Wablas:
    """The simulated provider; see ``sandbox.request.Provider``."""

    name = ProviderName.WABLAS

    def __init__(self, devices: "Devices", ledger: Ledger, transit: "Transit") -> None:
        self.devices = devices
        self.variants = WablasVariants()
        self.transit = transit
        self._ledger = ledger

    def read(self, exchange: Exchange) -> Request:
        endpoint = exchange.path[len(PREFIX) :]
        call = self._ledger.open_call(self.name, endpoint, exchange.received_at)
        request = Request(exchange, call, endpoint, endpoint in SENDING)
        request.encoding, request.fields = _decode(exchange)
        credential = exchange.header(b"authorization").decode("latin-1")
        if not credential and exchange.query:
            credential = str(read_urlencoded(exchange.query).get("token", ""))
        request.token, _, _ = credential.partition(".")
        device = self.devices.with_token(request.token)
        if device is None:
            call.fingerprint = fingerprint(request.token)
        else:
            request.device = device
            call.device = device.name
            call.fingerprint = device.fingerprint
        request.recipients = _recipients(request.fields)
        call.recipient = ",".join(request.recipients)
        return request

    def answer(self, request: Request) -> Answer:
        found = find_endpoint(request.exchange.method, request.endpoint)
        if found is None:
            return NOT_FOUND
        endpoint, rest = found
        try:
            device = self._authorise(request)
            return endpoint(Caller(request, device, self.variants, self._ledger, self.transit, rest))
        except WablasFailure as failure:
            return self.refuse(request, failure.reason, None)

    def refuse(self, request: Request, reason: str, http_status: int | None) -> Answer:
        if reason == BAD_PHONE:
            return Answer.json(refuse_every_phone(request.device, request.recipients), http_status or 200)
        status, _ = REASONS.get(reason, (200, ""))
        if reason == BAD_TOKEN:
            status = self.variants.bad_token_status
        return Answer.json({"status": False, "message": reason}, http_status or status)

    def _authorise(self, request: Request) -> "Device":
        """``TOKEN.SECRET`` in the header, or ``?token=`` where the documentation has it."""
        header = request.exchange.header(b"authorization").decode("latin-1")
        credential = header or str(read_urlencoded(request.exchange.query).get("token", ""))
        if not credential:
            raise WablasFailure("not authorized")
        device = request.device
        if device is None:
            raise WablasFailure(BAD_TOKEN)
        _, dot, secret = credential.partition(".")
        if not dot:
            if self.variants.second_half == "required" and request.endpoint != "api/device/info":
                raise WablasFailure("need secret key")
        elif secret != device.secret:
            raise WablasFailure("secret key invalid")
        return device


def _decode(exchange: Exchange) -> tuple[str, Any]:
    content_type = exchange.header(b"content-type")
    try:
        if content_type.startswith(b"application/json"):
            return "json", read_json(exchange.body)
        if content_type.startswith(b"application/x-www-form-urlencoded"):
            return "form", read_urlencoded(exchange.body)
        if content_type.startswith(b"multipart/form-data"):
            return "multipart", read_multipart(exchange.body, content_type)
    except UnreadableBodyError:
        return "none", None
    if exchange.query:
        return "query", read_urlencoded(exchange.query)
    return "none", None


def _recipients(fields: Any) -> list[str]:
    if not isinstance(fields, dict):
        return []
    batch = fields.get("data")
    if isinstance(batch, list):
        return [to_international(str(item["phone"])) for item in batch if isinstance(item, dict) and "phone" in item]
    return [to_international(phone) for phone in str(fields.get("phone", "")).split(",") if phone]
