"""Take a notification back as far as that is still possible."""

from dataclasses import dataclass
from datetime import timedelta

from api_gateway.application.ports import Deliveries, Notifications
from api_gateway.domain.access import SENDING, Caller, Scope, demand
from api_gateway.domain.refusals import missing
from common.contracts.documents import NotificationDocument
from common.contracts.vocabulary import WAITING, NotificationStatus, NotificationType
from common.kernel.clock import Clock

SWEEP_AFTER = timedelta(seconds=2)
"""When the sweeper takes back what a dead planner had added, and plans what nobody planned as cancelled."""
REASON = "its notification was cancelled"


@dataclass(frozen=True)
class Cancelled:
    """How many were ended by this call, and the notification's deliveries by status after it."""

    notification: NotificationDocument
    cancelled: int
    progress: dict[str, int]


@dataclass(frozen=True)
class CancelNotification:
    notifications: Notifications
    deliveries: Deliveries
    clock: Clock

    async def __call__(self, notification_id: str, caller: Caller) -> Cancelled:
        """Nothing more of it is planned, what waits is ended, what is under way is tried no further, what is over
        is left, and so is a notification that is over altogether. Doing it again changes nothing. Raises `Missing`
        and `Forbidden`.
        """
        found = await self.notifications.get(notification_id)
        if found is None:
            raise missing("notification", notification_id)
        kind = NotificationType(found["type"])
        demand(caller, SENDING[kind], f"cancelling {kind}", scope=Scope.NOTIFICATIONS_WRITE)
        before = await self.notifications.progress(notification_id)
        if found["status"] == NotificationStatus.PLANNED and not WAITING & set(before):
            return Cancelled(found, 0, before)
        await self.notifications.cancel(notification_id, sweep_at=self.clock.now() + SWEEP_AFTER)
        cancelled = await self.deliveries.cancel_all(
            notification_id,
            reason=REASON,
            cause=f"cancelled with its notification by {caller.subject}",
            now=self.clock.now(),
        )
        found["status"] = NotificationStatus.CANCELLED
        return Cancelled(found, cancelled, await self.notifications.progress(notification_id))
