"""The life of an alert: raised once for a cause, told, cleared once nothing is wrong for a while, told again."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertNews, AlertStatus
from scheduler.domain.findings import Finding

RIGHT_FOR = timedelta(seconds=10)
"""How long nothing may be wrong before an alert is cleared."""
RETURNED_WITHIN = timedelta(hours=1)
RIGHT_FOR_RETURNED = timedelta(minutes=10)
"""The same for a cause that returned within an hour: what comes and goes is told once."""
TOLD_WITHIN = timedelta(hours=1)
"""What was over for so long and nobody could be told of is told no more."""


def raised(identity: str, finding: Finding, now: datetime, *, cleared_at: datetime | None) -> AlertDocument:
    """An alert of something wrong; `cleared_at` is when the one before it of the same cause was."""
    return {
        "_id": identity,
        "cause": finding.cause,
        "kind": finding.kind,
        "about": finding.about,
        "status": AlertStatus.ACTIVE,
        "summary": finding.summary,
        "facts": dict(finding.facts),
        "returned": cleared_at is not None and now - cleared_at < RETURNED_WITHIN,
        "raised_at": now,
        "right_since": None,
        "cleared_at": None,
        "untold": [AlertNews.RAISED],
        "told": {},
        "revision": 0,
    }


def after(alert: AlertDocument, finding: Finding | None, now: datetime) -> AlertDocument:
    """An active alert after another look; the same object when nothing changes. Without a finding there is nothing left
    that could be wrong.
    """
    if finding is not None and finding.wrong is not False:
        return alert if alert["right_since"] is None else {**alert, "right_since": None}
    if alert["right_since"] is None:
        return {**alert, "right_since": now}
    if now - alert["right_since"] < (RIGHT_FOR_RETURNED if alert["returned"] else RIGHT_FOR):
        return alert
    return _cleared(alert, {} if finding is None else finding.facts, now)


def telling(alert: AlertDocument, request: Mapping[str, Any]) -> AlertDocument:
    """With what is asked for to tell the next news, from now on the same."""
    return {**alert, "telling": dict(request)}


def told(alert: AlertDocument, now: datetime) -> AlertDocument:
    """After people were told the next news."""
    news = alert["untold"][0]
    return passed_over({**alert, "told": {**alert["told"], news: now}})


def too_late(alert: AlertDocument, now: datetime) -> bool:
    """Whether it was over long ago and nobody was told that it ever began."""
    over = alert["cleared_at"]
    return over is not None and now - over >= TOLD_WITHIN and not alert["told"] and "telling" not in alert


def passed_over(alert: AlertDocument) -> AlertDocument:
    """Without the next news."""
    after_it: AlertDocument = {**alert, "untold": alert["untold"][1:]}
    after_it.pop("telling", None)
    if not after_it["untold"]:
        del after_it["untold"]
    return after_it


def _cleared(alert: AlertDocument, facts: Mapping[str, Any], now: datetime) -> AlertDocument:
    # What nobody could be told in time is told with its end: one message, not two that contradict each other.
    never_told = "telling" not in alert and alert.get("untold") == [AlertNews.RAISED]
    untold = [] if never_told else alert.get("untold", [])
    return {
        **alert,
        "status": AlertStatus.CLEARED,
        "facts": {**alert["facts"], **facts},
        "cleared_at": now,
        "untold": [*untold, AlertNews.CLEARED],
    }
