"""Failures, deliveries and the stories of people on the admin page."""

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.api import Api
from tests.support.pages import HOME, audited, browser, text_of
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification

Document = dict[str, Any]
SITI = "6281200000001"


def dead(to: str = SITI, **changes: Any) -> Document:
    return stored_delivery(
        "failed", to=to, notification=stored_notification(), code="RETRY_FAILED", attempts=[past_attempt()],
        reason=f"no connection for {to}", **changes,
    )  # fmt: skip


async def test_failures_are_tried_again_or_discarded_one_or_many(pages: Api) -> None:
    rows = [dead(f"62812000000{number:02d}") for number in range(5)]
    pages.rows["deliveries"].insert_many(rows)
    ids = sorted(row["_id"] for row in rows)
    async with browser(pages, "supervisor") as visitor:
        await visitor.get(f"{HOME}/failures")
        assert visitor.page.count('name="ids"') == 5
        assert "Queued again: 2." in await visitor.act(f"{HOME}/failures/retry", ids=ids[:2])
        assert "Discarded: 1." in await visitor.act(f"{HOME}/failures/discard", ids=ids, only=ids[2])
        assert "Discarded: 2. Skipped: 3" in await visitor.act(f"{HOME}/failures/discard", ids=ids)
        assert "Nothing waits for a person." in visitor.page
        nothing = await visitor.submit(f"{HOME}/failures/discard")
        assert nothing.status_code == 422
    assert pages.rows["deliveries"].count_documents({"status": "queued"}) == 2
    acts = [action for _, action, _ in audited(pages) if action.startswith("dead-delivery.")]
    assert acts == ["dead-delivery.retry", "dead-delivery.discard", "dead-delivery.discard"]


async def test_the_list_stays_filtered_after_an_act(pages: Api) -> None:
    pages.rows["deliveries"].insert_many([dead(type="otp"), dead(type="custom")])
    async with browser(pages, "noc") as visitor:
        await visitor.get(f"{HOME}/failures?type=otp")
        found = re.findall(r'name="ids" value="([^"]+)"', visitor.page)
        assert len(found) == 1
        answer = await visitor.submit(f"{HOME}/failures/discard", ids=found, type="otp")
    assert answer.headers["location"] == f"{HOME}/failures?type=otp"


async def test_deliveries_are_found_by_number_however_it_is_written_and_pages_follow(pages: Api) -> None:
    pages.rows["deliveries"].insert_many(
        [stored_delivery("sent", notification=stored_notification()) for _ in range(51)]
    )
    pages.rows["deliveries"].insert_one(stored_delivery("sent", to="6281200000002"))
    async with browser(pages, "cs") as visitor:
        first = await visitor.get(f"{HOME}/deliveries?q=0812-0000-0001")
        assert first.text.count("6281******001") == 50
        assert "6281******002" not in first.text
        older = re.search(r'href="([^"]*cursor=[^"]*)"', first.text)
        assert older is not None
        second = await visitor.get(older[1].replace("&amp;", "&"))
        assert second.text.count("6281******001") == 1


@pytest.mark.parametrize("place", ["deliveries", "failures"])
async def test_the_last_day_there_is_may_be_asked_for(pages: Api, place: str) -> None:
    pages.rows["deliveries"].insert_one(dead())
    async with browser(pages, "noc") as visitor:
        shown = await visitor.get(f"{HOME}/{place}?until=9999-12-31")
    assert shown.status_code == 200
    assert "6281******001" in shown.text


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("q=12", "q: "),
        ("status=lost", "status: known are"),
        ("since=yesterday", "since: "),
        ("until=2025-02-30", "until: "),
        ("provider=x", "provider: "),
        ("cursor=x", "cursor: "),
    ],
)
async def test_what_makes_no_sense_is_said_beside_the_form(pages: Api, asked: str, told: str) -> None:
    async with browser(pages, "cs") as visitor:
        answer = await visitor.get(f"{HOME}/deliveries?{asked}")
    assert answer.status_code == 422
    assert told in text_of(answer)


async def test_a_day_is_meant_to_its_end_in_the_operators_zone(pages: Api) -> None:
    at = datetime(2025, 11, 15, 16, 59, tzinfo=UTC)  # 23:59 in Jakarta
    identity = f"dlv_{int(at.timestamp() * 1000):012x}0123456789-0123456789abcdef"
    pages.rows["deliveries"].insert_one(stored_delivery("sent", _id=identity))
    async with browser(pages, "cs") as visitor:
        assert "6281******001" in (await visitor.get(f"{HOME}/deliveries?since=2025-11-15&until=2025-11-15")).text
        assert "6281******001" not in (await visitor.get(f"{HOME}/deliveries?since=2025-11-16")).text


async def test_a_delivery_tells_what_happened_and_who_may_see_the_number_is_written_down(pages: Api) -> None:
    row = dead()
    pages.rows["deliveries"].insert_one(row)
    address = f"{HOME}/deliveries/{row['_id']}"
    async with browser(pages, "admin") as visitor:
        shown = await visitor.get(address)
        assert SITI not in shown.text
        for said in ("6281******001", "put there by a test", "fonnte-1", "no connection for 6281******001"):
            assert said in shown.text
        revealed = await visitor.submit(f"{address}/reveal")
        assert revealed.status_code == 200
        assert SITI in revealed.text
        assert SITI not in (await visitor.get(address)).text
        assert "It is queued again." in await visitor.act(f"{address}/retry")
        assert (await visitor.submit(f"{address}/retry")).status_code == 409, "it is queued already"
        assert "It is cancelled now." in await visitor.act(f"{address}/cancel")
    acts = [(action, outcome) for _, action, outcome in audited(pages) if action.startswith("delivery.")]
    assert acts == [("delivery.reveal", "done"), ("delivery.retry", "done"), ("delivery.retry", "refused"),
                    ("delivery.cancel", "done")]  # fmt: skip


async def test_who_may_only_look_is_offered_nothing_else(pages: Api) -> None:
    row = dead()
    pages.rows["deliveries"].insert_one(row)
    async with browser(pages, "technician") as visitor:
        shown = await visitor.get(f"{HOME}/deliveries/{row['_id']}")
        home = await visitor.get(HOME)
    assert shown.status_code == 200
    assert "formaction" not in shown.text
    assert f'href="{HOME}/failures"' not in shown.text
    assert home.headers["location"] == f"{HOME}/deliveries"


async def test_everything_about_a_person_is_on_one_page_however_they_are_named(pages: Api) -> None:
    pages.rows["customers"].delete_many({})
    pages.rows["customers"].insert_one({"_id": "C-17", "name": "Siti", "phone": SITI, "email": "siti@example.com"})
    by_mail = stored_notification(channels=["email"])
    rows = [dead(), stored_delivery("sent"), stored_delivery("read", notification=by_mail, to="siti@example.com")]
    pages.rows["deliveries"].insert_many([*rows, stored_delivery(to="6281200000002")])
    async with browser(pages, "cs") as visitor:
        for asked, stories in ((SITI, 2), ("0812 0000 0001", 2), ("C-17", 3), (rows[0]["_id"], 2),
                               (rows[1]["notification_id"], 2), ("siti@example.com", 1)):  # fmt: skip
            shown = await visitor.get(f"{HOME}/why?q={quote(asked)}")
            assert shown.text.count("<article") == stories, asked
            assert "6281******002" not in shown.text
    for said in ("Nobody got it: every try failed", "fonnte-1", "put there by a test", "6281******001"):
        assert said in (await asked_why(pages, SITI))


async def asked_why(pages: Api, q: str, role: str = "cs") -> str:
    async with browser(pages, role) as visitor:
        return (await visitor.http.get(f"{HOME}/why?q={quote(q)}")).text


async def test_who_may_not_be_contacted_is_said_to_administrators(pages: Api) -> None:
    pages.rows["suppressions"].insert_one(
        {"_id": SITI, "reason": "opt_out", "note": None, "created_by": SITI, "created_at": datetime.now(UTC)}
    )
    assert "Nobody may contact this recipient: opt out" in await asked_why(pages, SITI, "admin")
    assert "Nobody may contact" not in await asked_why(pages, SITI, "cs"), "the list is theirs alone"
    pages.rows["suppressions"].delete_many({})


async def test_who_cannot_be_meant_is_told_what_to_type(pages: Api) -> None:
    assert "Nothing was ever planned for this recipient." in await asked_why(pages, "6281200000009")
    said = await asked_why(pages, "somebody")
    assert "neither a number" in said
    assert "q: " not in said, "the name of a parameter says nothing to them"
    assert "there is no delivery" in await asked_why(pages, "dlv_0")
    assert "Type what they told you." in await asked_why(pages, "")


async def test_what_it_waits_for_is_told_in_the_operators_zone(pages: Api) -> None:
    waiting = stored_delivery("scheduled", wake_at=datetime(2125, 11, 15, 1, 0, tzinfo=UTC))
    pages.rows["deliveries"].insert_one(waiting)
    told = await asked_why(pages, SITI)
    assert "15 Nov 2125, 08:00:00 WIB" in told
    assert "01:00:00Z" not in told


async def test_a_broadcast_asks_for_whom(pages: Api) -> None:
    of = stored_notification(recipients=9)
    pages.rows["deliveries"].insert_many([stored_delivery(notification=of, to=f"6281200000{n:03d}") for n in range(9)])
    assert "This notification went to many" in await asked_why(pages, of["_id"])
