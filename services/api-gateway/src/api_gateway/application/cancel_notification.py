"""Take a notification back as far as that is still possible."""

from dataclasses import dataclass

from api_gateway.application.ports import Deliveries, Notifications
from api_gateway.domain.access import SENDING, Caller, demand
from api_gateway.domain.refusals import missing
from common.contracts.documents import NotificationDocument
from common.contracts.vocabulary import NotificationStatus, NotificationType
from common.kernel.clock import Clock


@dataclass(frozen=True)
class Cancelled:
    """How many were cancelled by this call, and the notification's deliveries by status after it."""

    notification: NotificationDocument
    cancelled: int
    progress: dict[str, int]


@dataclass(frozen=True)
class CancelNotification:
    notifications: Notifications
    deliveries: Deliveries
    clock: Clock

    async def __call__(self, notification_id: str, caller: Caller) -> Cancelled:
        """Nothing more of it is planned, what waits is cancelled, what is under way is tried no further, what is over
        is left. Doing it again changes nothing. Raises `Missing` and `Forbidden`.
        """
        found = await self.notifications.get(notification_id)
        if found is None:
            raise missing("notification", notification_id)
        kind = NotificationType(found["type"])
        demand(caller, SENDING[kind], f"cancelling {kind}")
        await self.notifications.cancel(notification_id)
        # Called off before and after: what is under way may come back to wait meanwhile, and what waits set out.
        await self.deliveries.call_off(notification_id)
        cancelled = 0
        async for ids in self.deliveries.waiting(notification_id):
            cancelled += await self.deliveries.cancel(
                ids,
                reason="its notification was cancelled",
                cause=f"cancelled with its notification by {caller.subject}",
                now=self.clock.now(),
            )
        await self.deliveries.call_off(notification_id)
        found["status"] = NotificationStatus.CANCELLED
        return Cancelled(found, cancelled, await self.notifications.progress(notification_id))
