"""Turn accepted notifications into deliveries."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from common.contracts.documents import INLINE_AUDIENCE, AudienceMember, DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import WAITING, DeliveryStatus, NotificationStatus
from common.rendering.failures import Unrenderable
from common.rendering.messages import render_message
from common.telemetry.logs import logger
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Notifications
from dispatcher.domain.planning import Refusal, plan_delivery
from dispatcher.metrics import Metrics

PAGE_SECONDS = 30
"""How long one page may take before a sweeper takes the planning over where it stopped."""
OVERDUE_BATCH = 100
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
    stopping: Callable[[], bool]

    async def __call__(self, ids: Sequence[str]) -> None:
        await self.lookout.known()
        large = await self._plan_small(ids)
        unfinished = {notification["_id"] for notification in large if not await self._plan_pages(notification)}
        # Also what a planner that died had added to one cancelled meanwhile: its envelope has come again.
        cancelled = await self._take_back(ids)
        if cancelled - unfinished:
            await self.notifications.closed(sorted(cancelled - unfinished))

    async def overdue(self) -> bool:
        """Plan what a lost envelope or a crash left behind; `True` while there may be more."""
        ids = await self.notifications.overdue(self.lookout.now(), OVERDUE_BATCH)
        if not ids:
            return False
        try:
            await self(ids)
        except Exception as error:  # one that cannot be planned must not keep the others from it
            log.warning("notifications.not_planned", count=len(ids), exc_info=error)
            await self._one_by_one(ids)
        return len(ids) == OVERDUE_BATCH

    async def _one_by_one(self, ids: Sequence[str]) -> None:
        for identity in ids:
            try:
                await self([identity])
            except Exception as error:
                log.error("notification.not_planned", notification_id=identity, exc_info=error)  # noqa: TRY400 - the error is given
                await self.notifications.postpone([identity], self._later())

    async def _plan_small(self, ids: Sequence[str]) -> list[NotificationDocument]:
        """Plan those that carry their audience, many with a few writes; answers the large ones."""
        batch: list[DeliveryDocument] = []
        planned: list[str] = []
        large = []
        async for notification in self.notifications.accepted(ids):
            if notification["pages"] > 0:
                large.append(notification)
                continue
            batch += self._plan_members(notification, notification["audience"], first=0)
            planned.append(notification["_id"])
            if len(batch) >= INLINE_AUDIENCE:
                await self._settle(planned, batch)
                planned, batch = [], []
        if planned:
            await self._settle(planned, batch)
        return large

    async def _plan_pages(self, notification: NotificationDocument) -> bool:
        """Whether all of its pages are planned; when it is cancelled meanwhile, the rest of them as cancelled."""
        identity = notification["_id"]
        for number in range(notification["planned_pages"], notification["pages"]):
            if self.stopping():
                # Whoever looks next carries on from here.
                await self.notifications.postpone([identity], self.lookout.now())
                return False
            members = await self.notifications.page(notification, number)
            await self._add(self._plan_members(notification, members, first=number * INLINE_AUDIENCE))
            await self.notifications.page_planned(identity, number + 1, self._later())
            if notification["status"] != NotificationStatus.CANCELLED and await self._take_back([identity]):
                notification = {**notification, "status": NotificationStatus.CANCELLED}
        await self._settle([identity], [])
        log.info("notification.planned", notification_id=identity, pages=notification["pages"])
        return True

    async def _settle(self, ids: Sequence[str], batch: Sequence[DeliveryDocument]) -> None:
        await self._add(batch)
        self.metrics.planned.inc(await self.notifications.planned(ids))

    async def _take_back(self, ids: Sequence[str]) -> set[str]:
        """Cancel what was planned of notifications somebody has cancelled; answers which these are."""
        cancelled = await self.notifications.cancelled(ids)
        if cancelled:
            ended = await self.deliveries.cancel(cancelled, self.lookout.now())
            self.metrics.settled.labels(DeliveryStatus.CANCELLED).inc(ended)
        return set(cancelled)

    async def _add(self, batch: Sequence[DeliveryDocument]) -> None:
        if batch:
            new = await self.deliveries.add(batch)
            self.metrics.deliveries_planned.inc(new)
            if new == len(batch):  # planned once more after a crash they were counted before
                for status, count in Counter(delivery["status"] for delivery in batch).items():
                    if status not in WAITING:
                        self.metrics.settled.labels(status).inc(count)
            self.lookout.poke()

    def _later(self) -> datetime:
        return self.lookout.now() + timedelta(seconds=PAGE_SECONDS)

    def _plan_members(
        self, notification: NotificationDocument, members: Sequence[AudienceMember], *, first: int
    ) -> list[DeliveryDocument]:
        now = self.lookout.now()
        planned = []
        for position, member in enumerate(members, start=first):
            text, template, refusal = _text(notification, member)
            route = [provider for provider in notification["providers"] if self._fits(text, provider)]
            if refusal is None:
                refusal = _refusal(text, route)
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


def _refusal(text: str, route: Sequence[str]) -> Refusal | None:
    if not text.strip():
        return Refusal("EMPTY_MESSAGE", "its text is empty")
    if not route:
        return Refusal("REFUSED", f"{len(text)} characters are more than any provider of its route takes")
    return None


def _text(notification: NotificationDocument, member: AudienceMember) -> tuple[str, str | None, Refusal | None]:
    """The text for one member and its template, or why there is none."""
    try:
        text, template = render_message(notification, member)
    except Unrenderable as error:
        return "", None, Refusal("REFUSED", f"its text cannot be made: {error}")
    return text, template, None
