"""Carrying a fault out on a real connection."""

import asyncio
import time
from typing import TYPE_CHECKING, assert_never

from sandbox.faults.fault import Fault, FaultKind
from sandbox.wire.exchange import Answer

if TYPE_CHECKING:
    from sandbox.request import Provider, Request


async def enact(fault: Fault, provider: "Provider", request: "Request") -> Answer | None:
    """Misbehave; gives the answer to write in full, or nothing when the connection has been dealt with."""
    exchange = request.exchange
    proper = provider.answer(request) if fault.accepts else None
    # By the clock of the ledger, which is set while it runs: the loop's own may be a little ahead of it.
    while (left := exchange.received_at + fault.delay_seconds - time.time()) > 0:  # noqa: ASYNC110 - a clock is awaited
        await asyncio.sleep(left)
    match fault.kind:
        case FaultKind.REFUSE:
            return provider.refuse(request, fault.reason or "", fault.http_status)
        case FaultKind.LATE:
            return proper or provider.answer(request)
        case FaultKind.RESPOND:
            return fault.response()
        case FaultKind.TRUNCATE:
            whole = (proper or UNREAD).body
            return Answer(fault.http_status or 200, whole[: len(whole) // 2])
        case FaultKind.HANG:
            await exchange.gone()
        case FaultKind.RESET:
            await exchange.reset()
        case FaultKind.DROP:
            await exchange.close()
        case FaultKind.CUT_OFF:
            await exchange.cut_off(proper or UNREAD)
        case _ as never:
            assert_never(never)
    return None


UNREAD = Answer.json({"status": True, "detail": "never to be read in full"})
