"""From figures of the work on tickets to what a notification is told with."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from common.rendering.periods import Period

LONGEST_TITLE = 120
Figures = Mapping[str, Any]


def of_day(day: date, counted: Figures) -> dict[str, Any]:
    """The data of a `daily_summary` from what `common.mongo.figures` counted of that day."""
    told = {"date": day.isoformat(), **counted}
    overdue, count = told.pop("overdue", None), told.pop("overdue_count", 0)
    if overdue is None:
        return told
    issues = [f"Tiket {row['_id']} melewati batas waktu: {_title(row)}" for row in overdue]
    if count > len(issues):
        issues.append(f"{count - len(issues)} tiket lain juga melewati batas waktu")
    return {**told, "issues": issues}


def of_technician(span: Period, figures: Figures | None) -> dict[str, Any]:
    """The data of a `technician_performance`; of somebody without figures, that nothing was done."""
    return {"period": span.told, **(figures or {"tickets_done": 0})}


def _title(row: Figures) -> str:
    return str(row.get("title", "tanpa judul"))[:LONGEST_TITLE]
