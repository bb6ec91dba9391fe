"""How `kabar` says moments, spans, numbers and what is wrong."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from kabar_cli.exits import Exit, exit_of
from kabar_cli.findings import alert_key, findings, way_left
from kabar_cli.wording import clock, counted, harmless, masked, reasons, span
from kabar_client import Alert, Queue, Sender, Unreachable, Unreadable
from kabar_client.failures import failure

NOW = datetime(2025, 11, 15, 8, 30, tzinfo=timezone(timedelta(hours=7)))
CLOSED = {"state": "closed"}
QUEUE = Queue.model_validate(
    {
        "queue_length": 3, "is_processing": True, "failed_messages": 0, "estimated_time": 30, "by_priority": {},
        "next_messages": [],
    }
)  # fmt: skip


def sender(identity: str = "fonnte-1", **changes: Any) -> Sender:
    fields: dict[str, Any] = {
        "id": identity, "provider": identity.partition("-")[0], "status": "available", "circuit": CLOSED, "quota": {},
        "usage": {},
    }  # fmt: skip
    return Sender.model_validate(fields | changes)


def keys(*senders: Sender, queue: Queue = QUEUE, alerts: Sequence[Alert] = ()) -> list[str]:
    return [one.key for one in findings(senders, queue, alerts, NOW)]


def test_moments_are_told_where_the_operator_is_and_with_the_date_of_another_day() -> None:
    assert clock(datetime(2025, 11, 15, 1, 0, 5, tzinfo=UTC), NOW) == "08:00:05"
    assert clock(datetime(2025, 11, 14, 16, 59, tzinfo=UTC), NOW) == "2025-11-14 23:59"
    assert clock(None, NOW) == "-"


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(-1, "0 s"), (8.4, "8 s"), (59.6, "1 min"), (740, "12 min"), (12_040, "3 h 20 min"), (187_300, "2 d 4 h")],
)
def test_spans_are_told_in_two_units_at_most(seconds: float, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("6281200000001", "6281******001"),
        ("0812-0000-0001", "0812*******001"),
        ("1234567", "*******"),
        ("120363000000000001@g.us", "1203***********001@g.us"),
        ("sari@example.com", "s***@example.com"),
    ],
)
def test_numbers_are_masked(number: str, shown: str) -> None:
    assert masked(number) == shown


def test_nothing_told_steers_the_terminal() -> None:
    assert harmless("\x1b[2Jgone\r\u202eback\nnext") == "·[2Jgone··back\nnext"


def test_counts_and_reasons() -> None:
    assert (counted(1, "delivery", "deliveries"), counted(1_204, "delivery", "deliveries")) == (
        "1 delivery",
        "1,204 deliveries",
    )
    assert reasons({"paid": 12, "without_a_number": 3}) == "12 paid, 3 without a number"


def test_nothing_is_wrong_with_senders_that_work_and_one_that_is_paused() -> None:
    assert keys(sender(), sender("wablas-1", status="paused")) == []
    assert keys(sender(usage={"minute": {"limit": 10, "used": 10}, "day": {"limit": 0, "used": 700}})) == []


def test_each_trouble_has_a_key_of_its_own() -> None:
    assert keys(sender(), sender("wablas-1", status="out", why="token invalid")) == ["out:wablas-1"]
    assert keys(sender(device={"connected": False})) == ["device:fonnte-1"]
    assert keys(sender(quota={"remaining": 0})) == ["quota:fonnte-1"]
    assert keys(sender(quota={"remaining": 7})) == []
    assert keys(sender(usage={"hour": {"limit": 100, "used": 100}, "day": {"limit": 500, "used": 500}})) == [
        "hour:fonnte-1",
        "day:fonnte-1",
    ]


def test_what_kabar_has_raised_an_alert_of_is_wrong_and_said_once() -> None:
    raised = [
        Alert(id="alr", cause=f"{kind}:{about}", kind=kind, about=about, status="active", summary="", raised_at=NOW)
        for kind, about in (("quota", "fonnte-1"), ("device", "fonnte-1"), ("circuit", "fonnte-1"), ("job", "dunning"))
    ]
    assert keys(sender(status="out", why="device disconnected"), sender("wablas-1"), alerts=raised) == [
        "out:fonnte-1",
        "alert:quota:fonnte-1",
        "alert:job:dunning",
    ]


def test_nobody_left_to_send_is_wrong_whatever_the_reason() -> None:
    assert keys(sender(status="paused")) == ["senders"]
    assert keys() == keys(sender("email-1")) == ["senders"]
    assert keys(sender(), queue=QUEUE.model_copy(update={"estimated_time": None})) == ["senders"]


def test_the_same_troubles_have_one_key_within_an_hour() -> None:
    first, later = (findings([sender(usage={"day": {"limit": 5, "used": used}})], QUEUE, [], NOW) for used in (5, 6))
    other = findings([sender(status="out", why="token invalid")], QUEUE, [], NOW)
    assert alert_key(first, NOW) == alert_key(later, NOW + timedelta(minutes=29))
    assert len({alert_key(first, NOW), alert_key(other, NOW), alert_key(first, NOW + timedelta(hours=1))}) == 3


def test_an_alert_leaves_by_those_that_work() -> None:
    senders = [sender(), sender("fonnte-2"), sender("email-1"), sender("wablas-1", status="out")]
    assert way_left(senders) == {"providers": ["fonnte"]}
    assert way_left([sender(status="out"), sender("email-1")]) == {"channels": ["email"]}
    assert way_left([sender(status="out"), sender("email-1", status="paused")]) is None


@pytest.mark.parametrize(
    ("status", "code"),
    [(401, Exit.FORBIDDEN), (403, Exit.FORBIDDEN), (404, Exit.FAILED), (422, Exit.FAILED), (429, Exit.FAILED),
     (503, Exit.UNREACHABLE)],
)  # fmt: skip
def test_an_answer_has_its_exit_code(status: int, code: Exit) -> None:
    assert exit_of(failure(status, {})) is code
    assert exit_of(Unreachable()) is exit_of(Unreadable("GET /")) is Exit.UNREACHABLE
