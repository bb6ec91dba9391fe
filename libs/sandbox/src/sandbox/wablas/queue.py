"""Messages that are not sent yet; source: wablas.com/documentation/api (schedule, cancel)."""

from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.ledger import MessageState
from sandbox.wablas.dialect import BAD_PARAMETER, WablasFailure
from sandbox.wablas.send import send_single
from sandbox.wire.exchange import Answer

if TYPE_CHECKING:
    from sandbox.ledger import Message
    from sandbox.wablas.caller import Caller

TOO_LATE = "Id Invalid or message is not pending anymore"
STILL_PENDING = frozenset([MessageState.WAITING, MessageState.PENDING])


def schedule(caller: "Caller") -> Answer:
    """``date`` yyyy-mm-dd and ``time`` hh:mm:ss in ``timezone`` (Asia/Jakarta unless said)."""
    due_in = max(0.001, _due(caller.fields()) - caller.transit.clock.now())
    return Answer.json(send_single(caller, due_in=due_in))


def change_schedule(caller: "Caller") -> Answer:
    message = _pending(caller, caller.rest)
    due_in = max(0.001, _due(caller.fields()) - caller.transit.clock.now())
    caller.transit.reschedule(message, due_in)
    return Answer.json({"status": True, "message": "Schedule has been changed"})


def cancel_schedule(caller: "Caller") -> Answer:
    caller.transit.cancel(_pending(caller, caller.rest))
    return Answer.json({"status": True, "message": "Schedule has been cancelled"})


def cancel_message(caller: "Caller") -> Answer:
    caller.transit.cancel(_pending(caller, str(caller.query().get("id", ""))))
    return Answer.json({"status": True, "message": "Message has been cancelled"})


def cancel_all(caller: "Caller") -> Answer:
    for message in caller.ledger.messages:
        if message.call.device == caller.device.name:
            caller.transit.cancel(message)
    return Answer.json({"status": True, "message": "All pending messages have been cancelled"})


def _pending(caller: "Caller", message_id: str) -> "Message":
    message = caller.transit.find(message_id)
    if message is None or message.call.device != caller.device.name or message.state not in STILL_PENDING:
        raise WablasFailure(TOO_LATE)
    return message


def _due(fields: dict[str, Any]) -> float:
    try:
        zone = ZoneInfo(str(fields.get("timezone") or "Asia/Jakarta"))
        moment = datetime.fromisoformat(f"{fields.get('date', '')}T{fields.get('time', '')}")
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise WablasFailure(BAD_PARAMETER) from error
    return moment.replace(tzinfo=zone).timestamp()
