"""A page costs what is on it: 100,000 deliveries in the log, and the server goes to no more of them than are shown."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.api import Api
from tests.support.pages import HOME, browser
from tests.support.profiling import documents_examined, profiled
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification, stored_sender

MANY = 100_000
AT_ONCE = 10_000
SHOWN = 150
"""At most on a page, with what is looked up beside it."""
ASKED = ("deliveries", "notifications", "audit_log", "sessions", "senders", "suppressions")
STATUSES = ("sent", "sent", "sent", "sent", "delivered", "read", "sent", "sent", "failed", "queued")
TYPES = ("payment_reminder", "ticket_assignment", "maintenance", "custom")
PATHS = (
    "",
    "/queue/clear",
    "/failures",
    "/failures?type=custom",
    "/deliveries",
    "/deliveries?q=6281200000077",
    "/deliveries?status=delivered",
    "/deliveries?type=maintenance",
    "/deliveries?provider=fonnte",
    "/deliveries?since=2025-11-15&until=2025-11-16",
    "/why?q=6281200000077",
    "/broadcasts",
    "/templates",
    "/routes",
    "/groups",
    "/jobs",
    "/audit",
)


@pytest.fixture(scope="module", autouse=True)
def _stored(page_api: Api) -> None:
    store(page_api)


def store(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for begin in range(0, MANY, AT_ONCE):
        rows = []
        for number in range(begin, begin + AT_ONCE):
            at, status = now - timedelta(seconds=number), STATUSES[number % len(STATUSES)]
            of = stored_notification(type=TYPES[number % len(TYPES)], created_at=at)
            gone = {"sent_at": at, "attempts": [past_attempt()]} if status != "queued" else {}
            rows.append(stored_delivery(status, notification=of, to=f"6281200{number % 10_000:06d}", **gone))
        api.rows["deliveries"].insert_many(rows, ordered=False)
    api.rows["senders"].insert_one(stored_sender("fonnte-1"))


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_reads_no_more_than_it_shows(page_api: Api, path: str) -> None:
    async with browser(page_api, "admin") as visitor:
        with profiled(page_api.rows, *ASKED, by="api-gateway") as operations:
            answer = await visitor.get(f"{HOME}{path}")
        assert answer.status_code == 200
    assert operations
    assert documents_examined(operations) <= SHOWN
