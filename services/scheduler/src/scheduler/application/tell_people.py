"""Tell administrators of alerts, never through a sender that is broken, each news exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

from common.contracts.documents import AlertDocument, SenderDocument
from common.contracts.facts import NotificationRequested
from common.contracts.vocabulary import MAIL_PROVIDER, AlertNews, Channel, NotificationType
from common.kernel.clock import Clock
from common.telemetry.logs import logger
from scheduler.application.alert_ports import Administrators, Alerts, Requests
from scheduler.application.sources import Routes, Templates
from scheduler.domain import alerts
from scheduler.domain.ways import ways_around, works
from scheduler.domain.wording import wording

log = logger()


@dataclass
class TellPeople:
    """What is asked for is stored before it is asked for: whoever asks again, after a crash too, asks for the same
    under the same identity, which is one notification.
    """

    alerts: Alerts
    administrators: Administrators
    routes: Routes
    templates: Templates
    requests: Requests
    clock: Clock
    zone: tzinfo
    _waiting: set[str] = field(default_factory=set)

    async def __call__(self, senders: Sequence[SenderDocument]) -> int:
        """How many alerts nobody can be told of for now."""
        waiting: set[str] = set()
        for alert in await self.alerts.untold():
            if not await self._tell(alert, senders):
                waiting.add(alert["_id"])
        for identity in waiting - self._waiting:
            log.error("alert.not_told", alert_id=identity, reason="no provider works, or nobody can be reached")
        self._waiting = waiting
        return len(waiting)

    async def _tell(self, alert: AlertDocument, senders: Sequence[SenderDocument]) -> bool:
        """`False` when nobody can be told for now."""
        news = AlertNews(alert["untold"][0])
        if alerts.too_late(alert, self.clock.now()):
            if await self.alerts.save(alerts.passed_over(alert)):
                log.warning("alert.never_told", cause=alert["cause"], alert_id=alert["_id"])
            return True
        if "telling" not in alert:
            if news is AlertNews.RAISED and alert["right_since"] is not None:
                return True  # if it is over, that is what is told
            kind, data = wording(alert, news, self.zone)
            if not (await self.routes.effective(kind)).enabled:  # nobody wants to be told
                await self.alerts.save(alerts.passed_over(alert))
                return True
            way = await self._way(alert, news, kind, senders)
            if way is None:
                return False
            fixed = await self.alerts.save(alerts.telling(alert, {"type": kind, "data": data, **way}))
            if fixed is None:
                return True  # somebody else is at it
            alert = fixed
        at = alert["raised_at"] if news is AlertNews.RAISED else alert["cleared_at"]
        await self.requests(
            [NotificationRequested(event_id=f"{alert['_id']}.{news}", occurred_at=at, **alert["telling"])]
        )
        if await self.alerts.save(alerts.told(alert, self.clock.now())):
            log.info("alert.told", cause=alert["cause"], alert_id=alert["_id"], news=news)
        return True

    async def _way(
        self, alert: AlertDocument, news: AlertNews, kind: NotificationType, senders: Sequence[SenderDocument]
    ) -> dict[str, Any] | None:
        """To whom, through which providers or channel; `None` when there is no way now."""
        now, route = self.clock.now(), await self.routes.effective(kind)
        reach = await self.administrators.reachable(suppressible=route.suppressible)
        ways = ways_around(senders, alert["about"] if news is AlertNews.RAISED else None, now)
        by_mail = reach.by_email and any(one["provider"] == MAIL_PROVIDER and works(one, now) for one in senders)
        by_mail = by_mail and (await self.templates.current(kind))["email_text"] is not None
        by_whatsapp = Channel.WHATSAPP in route.channels
        if ways and (reach.by_phone or reach.number) and (by_whatsapp or not by_mail):
            every_one = {one["provider"] for one in senders} - {MAIL_PROVIDER}
            way: dict[str, Any] = {"providers": ways} if set(ways) < every_one else {}
            if not by_whatsapp:
                way["channels"] = [Channel.WHATSAPP]
            return way if reach.by_phone else {**way, "to": [reach.number]}
        return {"channels": [Channel.EMAIL]} if by_mail else None
