"""What is wrong, and what is not, of everything that is looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from common.contracts.documents import SenderDocument
from scheduler.domain.findings import (
    GRACE,
    Finding,
    Observed,
    ObservedJob,
    Thresholds,
    findings,
    of_circuit,
    of_device,
    of_job,
    of_quota,
)

NOW = datetime(2025, 11, 18, 3, 0, tzinfo=UTC)
THRESHOLDS = Thresholds(quota_share=0.1, quota_messages=100, dead_an_hour=20, parked_an_hour=5)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def out(failure: str | None, seconds: float, *, openings: int = 1, state: str = "open", **also: Any) -> dict[str, Any]:
    """A circuit that opened so long ago."""
    return {"state": state, "reason": "said so", "failure": failure, "opened_at": ago(seconds), "retry_at": NOW,
            "openings": openings, "failures_in_row": 0, "recent": [], "revision": 1, **also}  # fmt: skip


def sender(circuit: dict[str, Any] | None = None, provider: str = "fonnte", **fields: Any) -> SenderDocument:
    known = {} if circuit is None else {"circuit": circuit}
    return cast(
        "SenderDocument",
        {"_id": f"{provider}-1", "provider": provider, "max_text_chars": 1, "gateway_seen_at": NOW, **known, **fields},
    )


@pytest.mark.parametrize(
    ("circuit", "wrong"),
    [
        (None, False),
        (out("disconnected", 4.9), None),
        (out("disconnected", 5), True),
        (out("disconnected", 3600, state="half_open"), True),
        (out("disconnected", 3600, state="closed"), False),
        # Away again as soon as it was probed: that is no moment any more.
        (out("disconnected", 0, openings=2), True),
        # The provider says that it is back, and nothing was sent since.
        (out("disconnected", 60, back_at=ago(10)), False),
        (out("disconnected", 5, back_at=ago(10)), True),
        (out("auth", 3600), False),
        (out(None, 3600), False),
    ],
)
def test_a_device_is_away_once_it_is_for_more_than_a_moment(
    circuit: dict[str, Any] | None, *, wrong: bool | None
) -> None:
    assert of_device(sender(circuit), NOW).wrong is wrong


@pytest.mark.parametrize(
    ("circuit", "wrong"),
    [
        (None, False),
        (out("transport", 59), None),
        (out("transport", 60), True),
        (out(None, 60), True),
        (out("auth", 1, openings=2), True),
        (out("auth", 3600, state="closed"), False),
        # These are causes of their own.
        (out("disconnected", 3600), False),
        (out("quota", 3600), False),
    ],
)
def test_a_circuit_is_worth_an_alert_once_it_stays_open(circuit: dict[str, Any] | None, *, wrong: bool | None) -> None:
    assert of_circuit(sender(circuit), NOW).wrong is wrong


def test_a_mail_server_has_neither_device_nor_quota() -> None:
    mail = sender(out("disconnected", 3600), "email", quota_remaining=0)
    found = findings(Observed(senders=(mail,)), THRESHOLDS, NOW)
    assert [one.cause for one in found if one.wrong] == ["circuit:email-1"]
    assert not {"device:email-1", "quota:email-1"} & {one.cause for one in found}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, False),
        ({"quota_remaining": 99}, True),
        ({"quota_remaining": 100}, None),
        ({"quota_remaining": 149}, None),
        ({"quota_remaining": 150}, False),
        ({"quota_remaining": 999, "quota_total": 10_000}, True),
        ({"quota_remaining": 1_000, "quota_total": 10_000}, None),
        ({"quota_remaining": 1_500, "quota_total": 10_000}, False),
        # A share of a small total is what counts, not the number.
        ({"quota_remaining": 99, "quota_total": 200}, False),
        # Refused for the quota, whatever was told before; and topped up after that.
        ({"quota_remaining": 700, "quota_at": ago(60), "circuit": out("quota", 30)}, True),
        ({"circuit": out("quota", 30)}, True),
        ({"quota_remaining": 700, "quota_at": ago(10), "circuit": out("quota", 30)}, False),
    ],
)
def test_a_quota_is_low_below_the_share_and_well_again_above_half_as_much_more(
    fields: dict[str, Any], *, wrong: bool | None
) -> None:
    assert of_quota(sender(**fields), THRESHOLDS).wrong is wrong


@pytest.mark.parametrize(("remaining", "wrong"), [(1, False), (0, True)])
def test_without_a_threshold_only_a_quota_that_is_used_up_is_told(remaining: int, *, wrong: bool) -> None:
    off = Thresholds(quota_share=0, quota_messages=0)
    assert of_quota(sender(quota_remaining=remaining), off).wrong is wrong
    assert of_quota(sender(quota_remaining=remaining, quota_total=1_000), off).wrong is wrong


@pytest.mark.parametrize(
    ("expected", "watched", "running", "wrong"),
    [
        (None, 3600, False, False),
        (-60, 3600, False, False),
        (GRACE.total_seconds(), 3600, False, False),
        (GRACE.total_seconds() + 1, 3600, False, True),
        # Somebody is at it.
        (GRACE.total_seconds() + 1, 3600, True, None),
        # The scheduler has only just begun: it may be about to run it.
        (7200, 60, False, False),
    ],
)
def test_a_job_is_late_some_time_after_it_was_due(
    expected: float | None, watched: float, *, running: bool, wrong: bool | None
) -> None:
    due_at = None if expected is None else ago(expected)
    assert of_job(ObservedJob("dunning", due_at, watched_since=ago(watched), running=running), NOW).wrong is wrong


@pytest.mark.parametrize(("count", "wrong"), [(0, False), (10, False), (11, None), (20, None), (21, True)])
def test_a_pile_grows_too_fast_above_its_threshold_and_is_well_again_below_half_of_it(
    count: int, *, wrong: bool | None
) -> None:
    thresholds = Thresholds(dead_an_hour=20, parked_an_hour=20)
    for observed, cause in ((Observed(dead=count), "dead_deliveries"), (Observed(parked=count), "parked_envelopes")):
        assert {one.cause: one.wrong for one in findings(observed, thresholds, NOW)}[cause] is wrong


def test_what_is_off_is_no_cause() -> None:
    off = Thresholds(dead_an_hour=0, parked_an_hour=0)
    assert findings(Observed(dead=1_000, parked=1_000), off, NOW) == []


def test_a_sender_nobody_has_seen_for_a_day_is_none_any_more() -> None:
    def found(seen: timedelta) -> list[Finding]:
        gone = sender(out("disconnected", 3600), gateway_seen_at=NOW - seen)
        return [one for one in findings(Observed(senders=(gone,)), Thresholds(), NOW) if one.about]

    assert [one.cause for one in found(timedelta(hours=23)) if one.wrong] == ["device:fonnte-1"]
    assert found(timedelta(days=1)) == []
