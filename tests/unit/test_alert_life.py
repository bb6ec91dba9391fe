"""An alert is raised once, told once, and cleared once nothing is wrong for a while."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertKind
from scheduler.domain import alerts
from scheduler.domain.findings import Finding

NOW = datetime(2025, 11, 18, 3, 0, tzinfo=UTC)


def finding(*, wrong: bool | None) -> Finding:
    facts = {"provider": "fonnte", "remaining": 5 if wrong else 5_000}
    return Finding("quota:fonnte-1", AlertKind.QUOTA, "fonnte-1", wrong, "5 are left", facts)


def raised(cleared_at: datetime | None = None) -> AlertDocument:
    return alerts.raised("alr_1", finding(wrong=True), NOW, cleared_at=cleared_at)


def look(alert: AlertDocument, looks: Sequence[tuple[float, bool | None]]) -> AlertDocument:
    """The alert after looks so many seconds after it was raised, each with what was found."""
    for seconds, wrong in looks:
        if alert["status"] == "active":
            alert = alerts.after(alert, finding(wrong=wrong), NOW + timedelta(seconds=seconds))
    return alert


@pytest.mark.parametrize(
    ("looks", "status"),
    [
        ([(2, True), (3600, True)], "active"),
        ([(2, False), (11, False)], "active"),
        ([(2, False), (12, False)], "cleared"),
        # Only what lasts clears it.
        ([(2, False), (4, True), (6, False), (15, False)], "active"),
        # What is neither wrong nor right is not right.
        ([(2, False), (4, None), (14, None), (3600, None)], "active"),
        ([(2, None), (4, False), (14, False)], "cleared"),
    ],
)
def test_an_alert_is_cleared_once_nothing_was_wrong_for_a_while(
    looks: list[tuple[float, bool | None]], status: str
) -> None:
    assert look(raised(), looks)["status"] == status


def test_a_cause_that_returned_within_an_hour_has_to_stay_away_for_longer() -> None:
    for minutes, last in ((59, 602), (61, 12)):
        alert = raised(cleared_at=NOW - timedelta(minutes=minutes))
        assert look(alert, [(2, False), (last - 1, False)])["status"] == "active"
        assert look(alert, [(2, False), (last, False)])["status"] == "cleared"


def test_what_was_over_for_an_hour_and_never_told_is_told_no_more() -> None:
    over = look(raised(), [(2, False), (12, False)])
    at = NOW + timedelta(seconds=12)
    assert [alerts.too_late(over, at + timedelta(minutes=minutes)) for minutes in (59, 60)] == [False, True]
    late = at + timedelta(hours=9)
    assert not alerts.too_late(raised(), late)  # it is still wrong
    assert not alerts.too_late(look(alerts.told(raised(), NOW), [(2, False), (12, False)]), late)
    assert not alerts.too_late(look(alerts.telling(raised(), {}), [(2, False), (12, False)]), late)
    assert "untold" not in alerts.passed_over(over)


def test_a_cause_that_is_not_there_any_more_is_over() -> None:
    alert = raised()
    for seconds in (2, 12):
        alert = alerts.after(alert, None, NOW + timedelta(seconds=seconds))
    assert (alert["status"], alert["cleared_at"]) == ("cleared", NOW + timedelta(seconds=12))


def test_what_changes_nothing_is_the_same_alert() -> None:
    alert = raised()
    assert alerts.after(alert, finding(wrong=True), NOW) is alert
    mending = alerts.after(alert, finding(wrong=False), NOW)
    assert alerts.after(mending, finding(wrong=False), NOW + timedelta(seconds=1)) is mending


def test_people_are_told_of_the_beginning_and_of_the_end() -> None:
    alert = alerts.told(alerts.telling(raised(), {"type": "quota_alert"}), NOW)
    assert (alert["told"], "untold" in alert, "telling" in alert) == ({"raised": NOW}, False, False)
    over = look(alert, [(2, False), (12, False)])
    assert (over["untold"], over["facts"]["remaining"]) == (["cleared"], 5_000)
    assert set(alerts.told(alerts.telling(over, {}), NOW)["told"]) == {"raised", "cleared"}


def test_what_nobody_could_be_told_in_time_is_told_with_its_end_alone() -> None:
    assert look(raised(), [(2, False), (12, False)])["untold"] == ["cleared"]


def test_what_may_have_been_told_already_is_not_kept_back() -> None:
    under_way = alerts.telling(raised(), {"type": "quota_alert"})
    over = look(under_way, [(2, False), (12, False)])
    assert (over["untold"], over["telling"]) == (["raised", "cleared"], {"type": "quota_alert"})
    assert alerts.told(over, NOW)["untold"] == ["cleared"]
