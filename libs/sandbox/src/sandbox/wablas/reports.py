"""What became of messages; the ``ref_id`` filter resolves ambiguous sends. Source: wablas.com/documentation/api."""

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.ledger import ProviderName
from sandbox.wablas.dialect import BAD_PARAMETER, WablasFailure
from sandbox.wablas.events import STATUS_WORDS
from sandbox.wablas.send import to_international
from sandbox.wire.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.ledger import Message
    from sandbox.wablas.caller import Caller

LIMITED = "Report generation limit exceeded"
LARGEST_PAGE = 1000
WHOLE = re.compile(r"\d{1,9}", re.ASCII)
JAKARTA = timedelta(hours=7)

FILTERS: "dict[str, Callable[[Message, str], bool]]" = {
    "message_id": lambda message, asked: message.id in asked.split(","),
    "ref_id": lambda message, asked: message.reference == asked,
    "phone": lambda message, asked: message.recipient == to_international(asked),
    "status": lambda message, asked: STATUS_WORDS[message.state] == asked,
    "text": lambda message, asked: asked in message.text,
    "date": lambda message, asked: _written(message.call.received_at).startswith(asked),
}


def report(caller: "Caller") -> Answer:
    """``/api/report/message`` with its filters, newest first."""
    return _report(caller, caller.query(), size_name="perPage")


def report_realtime(caller: "Caller") -> Answer:
    """``/api/report-realtime``: today's messages, ``limit`` at most 1000."""
    return _report(caller, {**caller.query(), "date": _written(caller.transit.clock.now())[:10]}, size_name="limit")


def _report(caller: "Caller", query: dict[str, Any], *, size_name: str) -> Answer:
    if caller.variants.report == "limited":
        raise WablasFailure(LIMITED)
    page, size = str(query.get("page") or 1), str(query.get(size_name) or 100)
    if not WHOLE.fullmatch(page) or not WHOLE.fullmatch(size) or not 0 < int(size) <= LARGEST_PAGE or int(page) < 1:
        raise WablasFailure(BAD_PARAMETER)
    found = _find(caller, query)
    start = (int(page) - 1) * int(size)
    content = {
        "status": True,
        "totalData": len(found),
        "perPage": int(size),
        "page": int(page),
        "totalPage": -(-len(found) // int(size)),
        "message": [_row(message, caller) for message in found[start : start + int(size)]],
    }
    return Answer.json(content, 500 if caller.variants.report == "500_with_report" else 200)


def _find(caller: "Caller", query: dict[str, Any]) -> "list[Message]":
    checks = [(check, str(query[name])) for name, check in FILTERS.items() if query.get(name)]
    newest = caller.transit.clock.now() - caller.variants.report_lag_seconds
    return [
        message
        for message in reversed(caller.ledger.messages)
        if message.call.provider is ProviderName.WABLAS
        and message.call.device == caller.device.name
        and message.call.received_at <= newest
        and all(check(message, asked) for check, asked in checks)
    ]


def _row(message: "Message", caller: "Caller") -> dict[str, Any]:
    moment = _written(message.call.received_at)
    return {
        "id": message.id,
        "phone": {"from": caller.device.number, "to": message.recipient},
        "category": "text",
        "text": message.text,
        "URL_file": None,
        "status": STATUS_WORDS[message.state],
        "type": "single chat",
        "ref_id": message.reference or "",
        "date": {"created_at": moment, "updated_at": moment},
    }


def _written(moment: float) -> str:
    return (datetime.fromtimestamp(moment, UTC) + JAKARTA).strftime("%Y-%m-%d %H:%M:%S")
