"""Turn accepted notifications into deliveries."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from common.contracts.documents import INLINE_AUDIENCE, AudienceMember, DeliveryDocument, NotificationDocument
from common.rendering.failures import Unrenderable
from common.rendering.messages import render_message
from common.telemetry.logs import logger
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Notifications
from dispatcher.domain.planning import plan_delivery
from dispatcher.metrics import Metrics

PAGE_SECONDS = 30
"""How long one page may take before a sweeper takes the planning over where it stopped."""
log = logger()


@dataclass(frozen=True)
class PlanNotifications:
    """Plan many small notifications with a few writes, a large one page by page in constant memory.

    Deliveries have the same identities however often they are planned, so a crash anywhere is mended by planning
    again from the last page noted.
    """

    notifications: Notifications
    deliveries: Deliveries
    lookout: Lookout
    metrics: Metrics

    async def __call__(self, ids: Sequence[str]) -> None:
        waiting = await self.notifications.accepted(ids)
        small = [notification for notification in waiting if notification["pages"] == 0]
        await self._plan_small(small)
        for notification in waiting:
            if notification["pages"] > 0:
                await self._plan_pages(notification)

    async def overdue(self) -> bool:
        """Plan what a lost envelope or a crash left behind; `True` while there may be more."""
        ids = await self.notifications.overdue(self.lookout.now(), 100)
        if ids:
            await self(ids)
        return len(ids) == 100

    async def _plan_small(self, notifications: Sequence[NotificationDocument]) -> None:
        batch: list[DeliveryDocument] = []
        ids: list[str] = []
        for notification in notifications:
            batch += self._plan_members(notification, notification["audience"], first=0)
            ids.append(notification["_id"])
            if len(batch) >= INLINE_AUDIENCE:
                await self._settle(ids, batch)
                ids, batch = [], []
        if ids:
            await self._settle(ids, batch)

    async def _settle(self, ids: Sequence[str], batch: Sequence[DeliveryDocument]) -> None:
        await self._add(batch)
        cancelled = await self.notifications.planned(ids)
        if cancelled:
            await self.deliveries.cancel(cancelled, self.lookout.now())
        self.metrics.planned.inc(len(ids))

    async def _plan_pages(self, notification: NotificationDocument) -> None:
        identity = notification["_id"]
        for number in range(notification["planned_pages"], notification["pages"]):
            members = await self.notifications.page(notification, number)
            await self._add(self._plan_members(notification, members, first=number * INLINE_AUDIENCE))
            wake_at = self.lookout.now() + timedelta(seconds=PAGE_SECONDS)
            if not await self.notifications.page_planned(identity, number + 1, wake_at):
                await self.deliveries.cancel([identity], self.lookout.now())
                return
        await self._settle([identity], [])
        log.info("notification.planned", notification_id=identity, pages=notification["pages"])

    async def _add(self, batch: Sequence[DeliveryDocument]) -> None:
        if batch:
            new = await self.deliveries.add(batch)
            self.metrics.deliveries_planned.inc(new)
            self.lookout.poke()

    def _plan_members(
        self, notification: NotificationDocument, members: Sequence[AudienceMember], *, first: int
    ) -> list[DeliveryDocument]:
        now = self.lookout.now()
        planned = []
        for position, member in enumerate(members, start=first):
            text, template, refusal = _text(notification, member)
            route = [provider for provider in notification["providers"] if self._fits(text, provider)]
            if not refusal and not route:
                refusal = f"{len(text)} characters are more than any provider of its route takes"
            planned.append(
                plan_delivery(
                    notification,
                    member,
                    position=position,
                    text=text,
                    template=template,
                    route=route,
                    refusal=refusal,
                    now=now,
                )
            )
        return planned

    def _fits(self, text: str, provider: str) -> bool:
        limit = self.lookout.text_limit(provider)
        return limit is None or len(text) <= limit


def _text(notification: NotificationDocument, member: AudienceMember) -> tuple[str, str | None, str | None]:
    """The text for one member and its template, or why there is none."""
    try:
        text, template = render_message(notification, member)
    except Unrenderable as error:
        return "", None, f"its text cannot be made: {error}"
    return text, template, None
