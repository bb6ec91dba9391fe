"""Spans of days as they are asked for and told."""

from datetime import date

import pytest

from common.rendering.periods import Period, period

TODAY = date(2025, 11, 19)  # a Wednesday


@pytest.mark.parametrize(
    ("asked", "first", "last", "told"),
    [
        (None, "2025-11-10", "2025-11-16", "10-16 November 2025"),
        ("last_week", "2025-11-10", "2025-11-16", "10-16 November 2025"),
        ("this_week", "2025-11-17", "2025-11-23", "17-23 November 2025"),
        ("last_month", "2025-10-01", "2025-10-31", "Oktober 2025"),
        ("this_month", "2025-11-01", "2025-11-30", "November 2025"),
        ("2025-W01", "2024-12-30", "2025-01-05", "30 Desember 2024 - 5 Januari 2025"),
        ("2025-12", "2025-12-01", "2025-12-31", "Desember 2025"),
        ("2025-10-27/2025-11-02", "2025-10-27", "2025-11-02", "27 Oktober - 2 November 2025"),
        ("2025-11-05..2025-11-05", "2025-11-05", "2025-11-05", "5 November 2025"),
    ],
)
def test_a_period_is_understood_and_told(asked: str | None, first: str, last: str, told: str) -> None:
    found = period(asked, TODAY)
    assert found == Period(date.fromisoformat(first), date.fromisoformat(last))
    assert found.told == told


@pytest.mark.parametrize("asked", ["", "once", "2025-W54", "2025-13", "2025-11-05/2025-11-04", "2020-01-01/2025-01-01"])
def test_what_is_no_period_is_refused(asked: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        period(asked, TODAY)


def test_in_january_the_month_before_is_december() -> None:
    assert period("last_month", date(2026, 1, 5)) == Period(date(2025, 12, 1), date(2025, 12, 31))
