"""Wait for the outcome of a notification that skips the queue."""

import asyncio
import time
from dataclasses import dataclass

from api_gateway.application.ports import Deliveries, Senders
from api_gateway.domain.refusals import Code, Limited
from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import WAITING
from common.kernel.clock import Clock
from common.mongo.gate import usage
from common.mongo.sender_limits import LimitsOf

POLL_SECONDS = 0.03
WINDOWS = {
    Code.MINUTE_LIMIT_EXCEEDED: "minute",
    Code.HOUR_LIMIT_EXCEEDED: "hour",
    Code.DAY_LIMIT_EXCEEDED: "day",
}


@dataclass(frozen=True)
class AwaitOutcome:
    """`seconds`: how long a provider's answer can take at most, and a little more."""

    deliveries: Deliveries
    senders: Senders
    clock: Clock
    limits: LimitsOf
    seconds: float

    async def __call__(self, notification: NotificationDocument) -> DeliveryDocument | None:
        """The delivery once it has ended, as it is when the time is up, or `None` when it is not even planned.

        Raises `Limited` when the sender's limit kept it from being sent.
        """
        ends = time.monotonic() + self.seconds
        found: DeliveryDocument | None = None
        while time.monotonic() < ends:
            found = await self.deliveries.of_notification(notification["_id"])
            if found is not None and found["status"] not in WAITING:
                break
            await asyncio.sleep(POLL_SECONDS)
        if found is not None and found["code"] in WINDOWS:
            raise await self._limited(Code(found["code"]), found)
        return found

    async def _limited(self, code: Code, delivery: DeliveryDocument) -> Limited:
        window = WINDOWS[code]
        of_route = [sender for sender in await self.senders.all() if sender["provider"] in delivery["route"]]
        uses = [
            one
            for sender in of_route
            for one in usage(sender.get("gate", {}), self.limits(sender["provider"]), self.clock.now())
            if one.window == window and one.reset_at is not None
        ]
        soonest = min(uses, key=lambda one: one.reset_at or self.clock.now(), default=None)
        details: dict[str, object] = {"notification_id": delivery["notification_id"], "delivery_id": delivery["_id"]}
        if soonest is not None:
            details |= {"limit": soonest.limit, "current": soonest.used, "reset_at": soonest.reset_at}
        else:
            limit = self.limits(delivery["route"][0]).windows().get(window, 0)
            details |= {"limit": limit, "current": limit, "reset_at": self.clock.now()}
        return Limited(code, delivery["reason"] or f"the limit of a {window} is reached", details=details)
