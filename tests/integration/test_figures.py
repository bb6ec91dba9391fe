"""The figures of a day and of a week are those that are worked out by hand.

Local times of November 2025 (Asia/Jakarta); `told`: the deadline it was told with, `due`: the one that counts.

| ticket | technician | priority | opened   | resolved | told     | due      | hours | in time | rating |
|--------|------------|----------|----------|----------|----------|----------|-------|---------|--------|
| T-01   | A          | high     | 10 08:00 | 10 12:00 |          | 10 16:00 |     4 | yes     | 5      |
| T-02   | A          | urgent   | 11 09:00 | 11 14:00 |          | 11 13:00 |     5 | no      | 4      |
| T-03   | A          | normal   | 09 23:00 | 10 00:00 |          | 10 23:00 |     1 | yes     |        |
| T-04   | B          | normal   | 15 22:30 | 16 23:30 | 17 00:00 | 17 00:00 |    25 | yes     | 4      |
| T-05   | B          | low      | 12 10:00 | 12 13:00 |          | 14 10:00 |     3 | yes     | 5      |
| T-06   | C          | normal   | 13 08:00 | 13 10:00 |          | 14 08:00 |     2 | yes     | 5      |
| T-07   | C          |          | 13 09:00 | 13 10:00 |          |          |     1 |         | 4      |
| T-08   | E          | high     | 14 08:00 | 14 09:00 |          | 14 16:00 |     1 | yes     |        |
| T-09   | C          | high     | 16 22:00 | 17 00:00 |          | the week after: it is done at its first moment   |
| T-10   | C          | normal   | 10 09:00 | 12 09:00 |          | 11 09:00 | taken up again, so not done      |
| T-11   | C          | normal   | 10 09:00 | 12 09:00 |          |          | cancelled, so not done           |
| T-12   | nobody     | urgent   | 14 08:00 | 14 09:00 |          | done, and by no technician                       |
| T-13   | A          | urgent   | 16 06:00 |          |          | 16 10:00 | open and late                    |
| T-14   | nobody     | high     | 16 20:00 |          |          | 17 04:00 | open and not late                |

Week 10-16, A: 3 done, (4 + 5 + 1) / 3 = 3.3 h, 2 of 3 = 66.7 %, (5 + 4) / 2 = 4.5. B: 2 done, (25 + 3) / 2 = 14 h,
2 of 2, (4 + 5) / 2 = 4.5. C: 2 done, (2 + 1) / 2 = 1.5 h, 1 of 1, (5 + 4) / 2 = 4.5. D: none. E, who left: 1 done, 1 h.
A is first; B and C are equal and second; E comes fourth. Five technicians. Bonus: A missed the least share, B and C get
that of the second, E is beyond the ranks.

Day 16 at 23:45: opened T-09, T-13, T-14; closed T-04; open T-10, T-13, T-14, of which T-10 and T-13 are late, T-10 the
longest; at work B (closed), A and C (open ones). Day 15: opened T-04; nothing closed.
"""

import random
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.config.bonus import BonusRule
from common.contracts.directory import Activity, Row, Technician, Ticket, TicketPriority, TicketStatus
from common.contracts.tellings import Telling
from common.mongo.connection import Mongo, connect
from common.mongo.directory import Directory
from common.mongo.figures import Figures
from common.rendering.periods import Period
from common.rendering.summaries import of_day

JAKARTA = ZoneInfo("Asia/Jakarta")
P, S = TicketPriority, TicketStatus


def at(text: str) -> datetime:
    """`16 23:30`: of November 2025, in Jakarta."""
    return datetime.strptime(f"2025-11-{text}", "%Y-%m-%d %H:%M").replace(tzinfo=JAKARTA)


def ticket(
    number: int, technician: str | None, priority: TicketPriority | None, opened: str, resolved: str | None, **more: Any
) -> Ticket:
    return Ticket(
        id=f"T-{number:02d}", technician_id=technician, priority=priority, opened_at=at(opened),
        resolved_at=None if resolved is None else at(resolved), title=f"Gangguan {number}",
        **{"status": S.OPEN if resolved is None else S.RESOLVED, **more},
    )  # fmt: skip


TICKETS = (
    ticket(1, "A", P.HIGH, "10 08:00", "10 12:00", rating=5),
    ticket(2, "A", P.URGENT, "11 09:00", "11 14:00", rating=4),
    ticket(3, "A", P.NORMAL, "09 23:00", "10 00:00"),
    ticket(4, "B", P.NORMAL, "15 22:30", "16 23:30", deadline=at("17 00:00"), rating=4),
    ticket(5, "B", P.LOW, "12 10:00", "12 13:00", rating=5),
    ticket(6, "C", P.NORMAL, "13 08:00", "13 10:00", rating=5),
    ticket(7, "C", None, "13 09:00", "13 10:00", rating=4),
    ticket(8, "E", P.HIGH, "14 08:00", "14 09:00"),
    ticket(9, "C", P.HIGH, "16 22:00", "17 00:00"),
    ticket(10, "C", P.NORMAL, "10 09:00", "12 09:00", status=S.IN_PROGRESS),
    ticket(11, "C", P.NORMAL, "10 09:00", "12 09:00", status=S.CANCELLED),
    ticket(12, None, P.URGENT, "14 08:00", "14 09:00", status=S.CLOSED),
    ticket(13, "A", P.URGENT, "16 06:00", None),
    ticket(14, None, P.HIGH, "16 20:00", None),
)
TECHNICIANS = (
    *(Technician(id=name, name=name, status=Activity.ACTIVE) for name in "ABC"),
    Technician(id="D", name="D"),
    Technician(id="E", name="E", status=Activity.INACTIVE),
)
WEEK = {
    "A": {"tickets_done": 3, "average_hours": 3.3, "sla_met_percent": 66.7, "rating": 4.5, "rank": 1},
    "B": {"tickets_done": 2, "average_hours": 14.0, "sla_met_percent": 100.0, "rating": 4.5, "rank": 2},
    "C": {"tickets_done": 2, "average_hours": 1.5, "sla_met_percent": 100.0, "rating": 4.5, "rank": 2},
    "D": {"tickets_done": 0},
    "E": {"tickets_done": 1, "average_hours": 1.0, "sla_met_percent": 100.0, "rank": 4},
}
BONUS = {"B": 300_000, "C": 300_000}
DAY_16 = {
    "date": "2025-11-16",
    "tickets_opened": 3,
    "tickets_closed": 1,
    "tickets_open": 3,
    "sla_met_percent": 100.0,
    "technicians_active": 3,
    "issues": ["Tiket T-10 melewati batas waktu: Gangguan 10", "Tiket T-13 melewati batas waktu: Gangguan 13"],
}
NOW = at("16 23:45")
SPAN = Period(at("10 00:00").date(), at("16 00:00").date())


def parts(row: Row) -> Iterator[Telling]:
    """What one event each tells of a row: field by field, and what it was before, told late."""
    told = row.model_dump(exclude_none=True, exclude={"id"})
    for number, (name, value) in enumerate(told.items()):
        yield Telling(type(row).model_validate({"id": row.id, name: value}), NOW + timedelta(seconds=number))
    if isinstance(row, Ticket):
        before = Ticket(id=row.id, status=S.RESOLVED, technician_id=row.technician_id and "B", opened_at=at("16 01:00"))
        yield Telling(before, at("09 00:00"), occasion="ticket_status_changed")


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


@pytest.fixture(params=[0, 1, 2], ids=["in order", "reordered and repeated", "otherwise"])
async def figures(mongo: Mongo, request: pytest.FixtureRequest) -> Figures:
    chance = random.Random(request.param)
    for kind, rows in (("tickets", TICKETS), ("technicians", TECHNICIANS)):
        told = [part for row in rows for part in parts(row)]
        if request.param:
            told = [part for part in told for _ in range(chance.randint(1, 3))]
            chance.shuffle(told)
        for start in range(0, len(told), 7):
            await Directory(mongo, zone=JAKARTA).tell(kind, told[start : start + 7])
    return Figures(mongo, BonusRule((500_000, 300_000, 200_000), least_sla_percent=90.0))


async def test_a_week_of_every_technician(figures: Figures) -> None:
    found = await figures.of_technicians(*SPAN.moments(JAKARTA))
    assert {name: row.pop("technicians") for name, row in found.items()} == dict.fromkeys("ABCDE", 5)
    assert {name: row.pop("bonus") for name, row in found.items() if "bonus" in row} == BONUS
    assert found == WEEK


async def test_a_day_that_is_not_over(figures: Figures) -> None:
    day = Period(NOW.date(), NOW.date())
    counted = await figures.of_tickets(*day.moments(JAKARTA), now=NOW.astimezone(UTC))
    assert of_day(day.first, counted) == DAY_16


async def test_a_day_in_the_past_says_nothing_of_what_is_open_now(figures: Figures) -> None:
    day = at("15 00:00").date()
    counted = await figures.of_tickets(*Period(day, day).moments(JAKARTA), now=NOW.astimezone(UTC))
    assert of_day(day, counted) == {
        "date": "2025-11-15",
        "tickets_opened": 1,
        "tickets_closed": 0,
        "technicians_active": 0,
    }
