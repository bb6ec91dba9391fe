"""What people are told of alerts, and through whom."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

from common.catalogue.definitions import DEFINITIONS
from common.contracts.documents import SenderDocument
from common.contracts.vocabulary import AlertKind, AlertNews, NotificationType
from common.rendering.messages import render_notification
from scheduler.domain import alerts
from scheduler.domain.checks import due
from scheduler.domain.findings import Finding
from scheduler.domain.ways import ways_around
from scheduler.domain.wording import wording

NOW = datetime(2025, 11, 18, 3, 5, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Jakarta")
OF_SENDER = {"provider": "fonnte", "reason": "device *logged out* {x}"}
FACTS: dict[AlertKind, tuple[str | None, dict[str, Any]]] = {
    AlertKind.DEVICE: ("fonnte-1", OF_SENDER),
    AlertKind.CIRCUIT: ("fonnte-1", OF_SENDER),
    AlertKind.QUOTA: ("fonnte-1", {"provider": "fonnte", "remaining": 41, "total": 1_000}),
    AlertKind.JOB: ("dunning", {"expected_at": NOW}),
    AlertKind.DEAD_DELIVERIES: (None, {"most": 20}),
    AlertKind.PARKED_ENVELOPES: (None, {"most": 5}),
}


def told(kind: AlertKind, news: AlertNews) -> str:
    about, facts = FACTS[kind]
    alert = alerts.raised("alr_1", Finding(f"{kind}:x", kind, about, wrong=True, facts=facts), NOW, cleared_at=None)
    if news is AlertNews.CLEARED:
        alert = {**alert, "cleared_at": NOW + timedelta(minutes=10)}
    notification_type, data = wording(alert, news, ZONE)
    shape = DEFINITIONS[notification_type].shape
    assert shape is not None
    read = shape.model_validate(data).model_dump(exclude_none=True)
    return render_notification(notification_type, message=None, data=read, validity_seconds=86400, zone=ZONE)


@pytest.mark.parametrize("kind", AlertKind)
def test_every_alert_is_told_when_it_begins_and_when_it_is_over(kind: AlertKind) -> None:
    begun, over = told(kind, AlertNews.RAISED), told(kind, AlertNews.CLEARED)
    assert "segera" in begun
    assert "Tidak diperlukan tindakan lebih lanjut" in over
    assert not {"{", "}"} & set(begun + over)


def test_it_says_since_when_and_for_how_long_in_the_time_of_those_who_read_it() -> None:
    assert "sejak 18/11 pukul 10.05 WIB: device *\u200blogged out*" in told(AlertKind.DEVICE, AlertNews.RAISED)
    assert "18/11 pukul 10.05 WIB sampai 18/11 pukul 10.15 WIB" in told(AlertKind.DEVICE, AlertNews.CLEARED)
    assert "41* dari 1.000" in told(AlertKind.QUOTA, AlertNews.RAISED)


def test_a_quota_has_an_alert_of_its_own_and_everything_else_is_a_system_alert() -> None:
    for kind, (about, facts) in FACTS.items():
        alert = alerts.raised("alr_1", Finding("x", kind, about, wrong=True, facts=facts), NOW, cleared_at=None)
        expected = NotificationType.QUOTA_ALERT if kind is AlertKind.QUOTA else NotificationType.SYSTEM_ALERT
        assert wording(alert, AlertNews.RAISED, ZONE)[0] is expected


def sender(identity: str, **fields: Any) -> SenderDocument:
    provider = identity.partition("-")[0]
    return cast("SenderDocument", {"_id": identity, "provider": provider, "gateway_seen_at": NOW, **fields})


OPEN = {"circuit": {"state": "open"}}


@pytest.mark.parametrize(
    ("senders", "about", "ways"),
    [
        ([sender("fonnte-1"), sender("wablas-1")], None, ["fonnte", "wablas"]),
        ([sender("fonnte-1", **OPEN), sender("wablas-1")], None, ["wablas"]),
        ([sender("fonnte-1", **OPEN), sender("wablas-1")], "fonnte-1", ["wablas"]),
        # Another provider first, then another sender of the same, never one that does not work.
        ([sender("fonnte-1", **OPEN), sender("fonnte-2"), sender("wablas-1")], "fonnte-1", ["wablas"]),
        ([sender("fonnte-1", **OPEN), sender("fonnte-2"), sender("wablas-1", **OPEN)], "fonnte-1", ["fonnte"]),
        # One whose quota is low can still say so itself.
        ([sender("fonnte-1", quota_remaining=5), sender("wablas-1")], "fonnte-1", ["wablas"]),
        ([sender("fonnte-1", quota_remaining=5), sender("wablas-1", **OPEN)], "fonnte-1", ["fonnte"]),
        ([sender("fonnte-1", **OPEN), sender("wablas-1", paused=True)], "fonnte-1", []),
        ([sender("fonnte-1", **OPEN), sender("wablas-1", quota_remaining=0)], "fonnte-1", []),
        ([sender("fonnte-1", gateway_seen_at=NOW - timedelta(seconds=5))], None, []),
        ([sender("email-1")], None, []),
    ],
)
def test_a_message_goes_around_what_is_broken(
    senders: list[SenderDocument], about: str | None, ways: list[str]
) -> None:
    assert ways_around(senders, about, NOW) == ways


def asked(seconds: float) -> dict[str, Any]:
    return {"device": {"asked_at": NOW - timedelta(seconds=seconds)}}


@pytest.mark.parametrize(
    ("one", "is_due"),
    [
        (sender("fonnte-1"), True),
        (sender("fonnte-1", **asked(59)), False),
        (sender("fonnte-1", **asked(60)), True),
        (sender("fonnte-2", **asked(3600)), False),
        (sender("fonnte-1", gateway_seen_at=NOW - timedelta(seconds=5)), False),
        (sender("email-1"), True),
    ],
)
def test_a_device_is_looked_at_at_first_and_while_it_is_away(one: SenderDocument, *, is_due: bool) -> None:
    assert bool(due([one], {"fonnte-1"}, NOW)) is is_due
