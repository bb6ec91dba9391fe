"""The admin page: who gets in, who stays in, what a form needs, what a browser is told, and what operators do there."""

import asyncio
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.access_table import OPERATORS, ROLES
from tests.support.api import Api, ready, running_api, token, until, wait_until
from tests.support.pages import (
    ACCOUNTS,
    HOME,
    OPEN,
    PAGES,
    PASSWORD,
    WATCHED,
    Page,
    account,
    browser,
    page_routes,
    text_of,
)
from tests.support.servers import new_database
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification, stored_sender

Document = dict[str, Any]
SITI = "6281200000001"


@pytest.fixture(scope="module")
def api(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log, KABAR_ADMIN_ACCOUNTS=ACCOUNTS) as started:
        wait_until(lambda: ready(started), f"api-gateway is not ready; see {log}")
        yield started


@pytest.fixture(autouse=True)
def _nothing_stored(api: Api) -> None:
    for collection in ("notifications", "deliveries", "senders", "groups", "sign_in_gates", "audit_log"):
        api.rows[collection].delete_many({})


def audited(api: Api) -> list[tuple[str, str, str]]:
    return [(row["actor"], row["action"], row["outcome"]) for row in api.rows["audit_log"].find().sort("_id", 1)]


# --- Who gets in --------------------------------------------------------------------------------------------


def test_every_page_says_who_may_look() -> None:
    assert page_routes() == {page.key for page in PAGES} | OPEN | WATCHED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
async def test_a_page_is_for_its_roles_alone(api: Api, page: Page) -> None:
    broadcast = stored_notification(type="promotion")
    api.rows["notifications"].insert_one(broadcast)
    address = page.address(broadcast=broadcast["_id"])
    for role in ROLES:
        async with browser(api, role) as visitor:
            if page.method == "GET":
                answer = await visitor.get(address)
            else:
                answer = await visitor.submit(address, **page.fields)
        elsewhere = answer.status_code == 303 and page.method == "GET"
        refused = answer.status_code == 403 or elsewhere
        assert refused == (role not in page.roles), (role, answer.status_code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
async def test_who_is_not_signed_in_is_asked_to(api: Api, page: Page) -> None:
    async with browser(api) as visitor:
        answer = await visitor.http.request(page.method, page.address(broadcast="x"))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{HOME}/sign-in")


async def test_a_name_and_a_password_let_somebody_in_and_leave_a_trace(api: Api) -> None:
    async with browser(api) as visitor:
        answer = await visitor.sign_in()
        assert answer.status_code == 303
        shown = await visitor.get(answer.headers["location"])
        assert "siti admin" in text_of(shown)
    assert audited(api) == [("siti", "session.begin", "done")]


@pytest.mark.parametrize(("name", "password"), [("siti", "another one"), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_name_and_a_wrong_password_are_told_the_same(api: Api, name: str, password: str) -> None:
    async with browser(api) as visitor:
        answer = await visitor.sign_in(name, password)
        assert answer.status_code == 401
        assert "The name or the password is wrong." in text_of(answer)
        assert (await visitor.get(HOME)).status_code == 303


async def test_a_token_of_the_portal_lets_in_until_it_ends(api: Api) -> None:
    async with browser(api) as visitor:
        await visitor.get(f"{HOME}/sign-in")
        answer = await visitor.submit(f"{HOME}/sign-in", token=token("noc", sub="agus"))
        assert answer.status_code == 303
    stored = api.rows["sessions"].find_one({"subject": "agus"})
    assert stored is not None
    assert stored["expires_at"] < datetime.now(UTC) + timedelta(minutes=15)


@pytest.mark.parametrize("bad", ["nonsense", token("noc", secret="another secret, of 32 characters"), token("boss")])
async def test_a_token_that_the_api_would_not_take_lets_nobody_in(api: Api, bad: str) -> None:
    async with browser(api) as visitor:
        await visitor.get(f"{HOME}/sign-in")
        answer = await visitor.submit(f"{HOME}/sign-in", token=bad)
        assert answer.status_code in {401, 403}
        assert (await visitor.get(HOME)).status_code == 303


async def test_after_five_wrong_passwords_one_has_to_wait_but_only_for_that_name(api: Api) -> None:
    async with browser(api) as visitor:
        codes = [(await visitor.sign_in("siti", "guessed")).status_code for _ in range(6)]
        assert codes == [401] * 5 + [429]
        refused = await visitor.sign_in()
        assert refused.status_code == 429, "the right one is no way around"
        assert int(refused.headers["retry-after"]) > 0
        assert (await visitor.sign_in("budi")).status_code == 303


async def test_the_right_password_clears_what_was_mistyped(api: Api) -> None:
    async with browser(api) as visitor:
        for _ in range(2):
            for _ in range(4):
                assert (await visitor.sign_in("siti", "mistyped")).status_code == 401
            assert (await visitor.sign_in()).status_code == 303


async def test_one_is_brought_to_the_page_one_wanted_and_never_to_another_site(api: Api) -> None:
    async with browser(api) as visitor:
        wanted = await visitor.get(f"{HOME}/queue/clear")
        assert wanted.headers["location"] == f"{HOME}/sign-in?next={HOME}/queue/clear"
        for there, leads_to in (
            (f"{HOME}/queue/clear", f"{HOME}/queue/clear"),
            ("https://example.com", HOME),
            ("//example.com", HOME),
            (f"{HOME}@example.com", HOME),
        ):
            await visitor.get(f"{HOME}/sign-in")
            answer = await visitor.submit(f"{HOME}/sign-in", name="siti", password=PASSWORD, next=there)
            assert answer.headers["location"] == leads_to


# --- Who stays in -------------------------------------------------------------------------------------------


async def test_signing_out_ends_the_session_for_whoever_copied_it(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        copied = dict(visitor.http.cookies)
        assert (await visitor.submit(f"{HOME}/sign-out")).status_code == 303
        assert not visitor.http.cookies.get("kabar_session")
    async with httpx.AsyncClient(base_url=api.url, cookies=copied) as thief:
        assert (await thief.get(HOME, headers={"Accept": "text/html"})).status_code == 303
    assert ("a admin", "session.end", "done") in audited(api)


async def test_what_the_browser_holds_is_out_of_reach_and_stored_as_a_digest(api: Api) -> None:
    async with browser(api) as visitor:
        answer = await visitor.sign_in()
        cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("kabar_session="))
        secret = visitor.http.cookies["kabar_session"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Path={HOME}" in cookie
    assert secret not in str(list(api.rows["sessions"].find()))


async def test_behind_tls_the_cookie_is_for_that_alone(api: Api) -> None:
    async with browser(api, **{"X-Forwarded-Proto": "https"}) as visitor:
        answer = await visitor.http.get(f"{HOME}/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kabar_visit=")
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_every_replica_knows_who_is_signed_in_unless_the_password_is_another_one_now(
    api: Api, rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with browser(api) as visitor:
        await visitor.sign_in()
        cookies = dict(visitor.http.cookies)
    changed = account("siti", "admin", "a password that was changed")
    for accounts, status in ((ACCOUNTS, 200), (changed, 303), (account("budi", "noc"), 303)):
        log = tmp_path_factory.mktemp("replica") / "log"
        with running_api(rabbitmq.url, api.mongodb_url, log, KABAR_ADMIN_ACCOUNTS=accounts) as replica:
            wait_until(lambda of=replica: ready(of), "the replica is not ready")  # type: ignore[misc]
            async with httpx.AsyncClient(base_url=replica.url, cookies=cookies, timeout=60) as http:
                assert (await http.get(HOME, headers={"Accept": "text/html"})).status_code == status


async def test_a_session_ends_after_a_working_day(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        api.rows["sessions"].update_many({}, {"$set": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}})
        assert (await visitor.get(HOME)).status_code == 303


# --- What a form needs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [None, "", "0" * 64])
async def test_a_form_that_is_not_ones_own_does_nothing(api: Api, given: str | None) -> None:
    api.rows["deliveries"].insert_one(stored_delivery())
    async with browser(api, "admin") as visitor:
        answer = await visitor.http.post(f"{HOME}/queue/clear", data={} if given is None else {"form_token": given})
    assert answer.status_code == 403
    assert api.rows["deliveries"].count_documents({"status": "queued"}) == 1


async def test_the_form_of_somebody_elses_session_does_nothing(api: Api) -> None:
    async with browser(api, "admin") as mine, browser(api, "admin") as other:
        mine.page = other.page
        assert (await mine.submit(f"{HOME}/queue/clear")).status_code == 403


@pytest.mark.parametrize(
    "told", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://example.com"}]
)
async def test_a_form_on_another_site_does_nothing_whatever_it_carries(api: Api, told: dict[str, str]) -> None:
    async with browser(api, "admin") as visitor:
        visitor.http.headers.update(told)
        assert (await visitor.submit(f"{HOME}/queue/clear")).status_code == 403


async def test_nobody_is_signed_in_by_a_form_of_another_site(api: Api) -> None:
    async with browser(api) as attacker, browser(api) as victim:
        await attacker.get(f"{HOME}/sign-in")
        victim.page = attacker.page
        answer = await victim.submit(f"{HOME}/sign-in", name="siti", password=PASSWORD)
        assert answer.status_code == 403
        assert "kabar_session" not in victim.http.cookies


async def test_a_form_that_is_too_large_is_refused(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        answer = await visitor.submit(f"{HOME}/queue/send-test", message="x" * 70_000)
    assert answer.status_code == 413


# --- What a browser is told ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [HOME, f"{HOME}/sign-in", f"{HOME}/queue/clear", f"{HOME}/nothing"])
async def test_a_page_allows_nothing_of_others_and_nothing_inline(api: Api, path: str) -> None:
    async with browser(api, "admin") as visitor:
        answer = await visitor.http.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script(?! src)|<style|\sstyle=|\son\w+=|https?://", answer.text)


async def test_everything_a_page_loads_is_ours_and_may_be_kept(api: Api) -> None:
    async with browser(api) as visitor:
        await visitor.get(f"{HOME}/sign-in")
        loaded = set(re.findall(r'(?:src|href)="([^"#]+)"', visitor.page)) - {HOME}
        assert len(loaded) == 5
        for path in loaded:
            answer = await visitor.http.get(path)
            assert answer.status_code == 200, path
            assert "immutable" in answer.headers["cache-control"]
        assert (await visitor.http.get(f"{HOME}/assets/000000000000/page.css")).status_code == 404


async def test_a_page_that_is_not_there_says_so_and_the_api_still_answers_in_json(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        nothing = await visitor.get(f"{HOME}/nothing")
        assert nothing.status_code == 404
        assert "There is no such page." in text_of(nothing)
        assert (await visitor.http.get(f"{HOME}/clear")).status_code == 405
        status = await visitor.http.get(f"{HOME}/status")
        assert status.status_code == 401, "a session is no token"
        assert status.json()["code"] == "UNAUTHENTICATED"


# --- What operators do --------------------------------------------------------------------------------------


async def test_the_overview_shows_queue_and_senders_with_numbers_masked(api: Api) -> None:
    api.rows["deliveries"].insert_many(
        [stored_delivery(to=SITI, priority="high"), stored_delivery("sent", sent_at=datetime.now(UTC))]
    )
    api.rows["senders"].insert_one(stored_sender("fonnte-1", quota_remaining=812, quota_total=1000))
    async with browser(api, "noc") as visitor:

        async def shown() -> bool:
            answer = await visitor.get(HOME)
            return "6281******001" in answer.text

        await until(shown, "the queue is not shown")
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", visitor.page))
    assert SITI not in visitor.page
    assert "188 used, 812 left of 1,000" in text
    assert "Times are in Asia/Jakarta (WIB)" in text


async def test_clearing_says_how_many_asks_and_is_audited_like_over_the_api(api: Api) -> None:
    api.rows["deliveries"].insert_many([stored_delivery(notification=stored_notification()) for _ in range(3)])
    async with browser(api, "noc") as visitor:
        asked = await visitor.get(f"{HOME}/queue/clear")
        assert "cancels 3 deliveries" in text_of(asked)
        assert "Cancelled 3 deliveries." in await visitor.act(f"{HOME}/queue/clear")
        again = await visitor.get(HOME)
        assert "Cancelled" not in again.text, "said once"
    assert api.rows["deliveries"].count_documents({"status": "cancelled"}) == 3
    assert ("a noc", "queue.clear", "done") in audited(api)


async def test_a_sender_is_paused_resumed_and_its_limits_reset(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender("fonnte-1"))
    async with browser(api, "noc") as visitor:
        assert "fonnte-1 is paused." in await visitor.act(f"{HOME}/senders/fonnte-1/pause")
        assert "paused by a noc" in visitor.page
        assert "takes work again" in await visitor.act(f"{HOME}/senders/fonnte-1/resume")
        assert "starts its limits anew" in await visitor.act(f"{HOME}/senders/fonnte-1/reset-limits")
        assert (await visitor.submit(f"{HOME}/senders/nobody-1/pause")).status_code == 404
        assert (await visitor.submit(f"{HOME}/senders/fonnte-1/explode")).status_code == 404
    acts = [action for _, action, _ in audited(api) if action.startswith("sender.")]
    assert acts == ["sender.pause", "sender.resume", "sender.reset-limits"]


async def test_what_waits_for_a_retry_is_lined_up(api: Api) -> None:
    waiting = stored_delivery(retries=1)
    del waiting["lane"]
    api.rows["deliveries"].insert_one(waiting)
    async with browser(api, "noc") as visitor:
        assert "Lined up 1 delivery" in await visitor.act(f"{HOME}/queue/force-process")
    assert ("a noc", "queue.force-process", "done") in audited(api)


async def test_a_test_message_is_accepted_once_however_often_the_button_is_pressed(api: Api) -> None:
    async with browser(api, "noc") as visitor:
        key = visitor.key
        for _ in range(2):
            said = await visitor.act(f"{HOME}/queue/send-test", key=key, to=SITI, message="halo")
            assert "The test message is in the queue." in said
        assert visitor.key != key
    assert api.rows["notifications"].count_documents({}) == 1
    assert ("a noc", "queue.send-test", "done") in audited(api)


async def test_a_number_that_is_none_is_told_on_the_page_and_nothing_typed_is_lost(api: Api) -> None:
    async with browser(api, "noc") as visitor:
        answer = await visitor.submit(f"{HOME}/queue/send-test", key=visitor.key, to="12", message="<b>halo")
    assert answer.status_code == 422
    assert 'value="12"' in answer.text
    assert "&lt;b&gt;halo" in answer.text
    assert 'role="alert"' in answer.text


# --- Failures and deliveries --------------------------------------------------------------------------------


def dead(to: str = SITI, **changes: Any) -> Document:
    return stored_delivery(
        "failed", to=to, notification=stored_notification(), code="RETRY_FAILED", attempts=[past_attempt()],
        reason=f"no connection for {to}", **changes,
    )  # fmt: skip


async def test_failures_are_tried_again_or_discarded_one_or_many(api: Api) -> None:
    rows = [dead(f"62812000000{number:02d}") for number in range(5)]
    api.rows["deliveries"].insert_many(rows)
    ids = sorted(row["_id"] for row in rows)
    async with browser(api, "supervisor") as visitor:
        await visitor.get(f"{HOME}/failures")
        assert visitor.page.count('name="ids"') == 5
        assert "Queued again: 2." in await visitor.act(f"{HOME}/failures/retry", ids=ids[:2])
        assert "Discarded: 1." in await visitor.act(f"{HOME}/failures/discard", ids=ids, only=ids[2])
        assert "Discarded: 2. Skipped: 3" in await visitor.act(f"{HOME}/failures/discard", ids=ids)
        assert "Nothing waits for a person." in visitor.page
        nothing = await visitor.submit(f"{HOME}/failures/discard")
        assert nothing.status_code == 422
    assert api.rows["deliveries"].count_documents({"status": "queued"}) == 2
    acts = [action for _, action, _ in audited(api) if action.startswith("dead-delivery.")]
    assert acts == ["dead-delivery.retry", "dead-delivery.discard", "dead-delivery.discard"]


async def test_the_list_stays_filtered_after_an_act(api: Api) -> None:
    api.rows["deliveries"].insert_many([dead(type="otp"), dead(type="custom")])
    async with browser(api, "noc") as visitor:
        await visitor.get(f"{HOME}/failures?type=otp")
        found = re.findall(r'name="ids" value="([^"]+)"', visitor.page)
        assert len(found) == 1
        answer = await visitor.submit(f"{HOME}/failures/discard", ids=found, type="otp")
    assert answer.headers["location"] == f"{HOME}/failures?type=otp"


async def test_deliveries_are_found_by_number_however_it_is_written_and_pages_follow(api: Api) -> None:
    api.rows["deliveries"].insert_many([stored_delivery("sent", notification=stored_notification()) for _ in range(51)])
    api.rows["deliveries"].insert_one(stored_delivery("sent", to="6281200000002"))
    async with browser(api, "cs") as visitor:
        first = await visitor.get(f"{HOME}/deliveries?q=0812-0000-0001")
        assert first.text.count("6281******001") == 50
        assert "6281******002" not in first.text
        older = re.search(r'href="([^"]*cursor=[^"]*)"', first.text)
        assert older is not None
        second = await visitor.get(older[1].replace("&amp;", "&"))
        assert second.text.count("6281******001") == 1


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
async def test_what_makes_no_sense_is_said_beside_the_form(api: Api, asked: str, told: str) -> None:
    async with browser(api, "cs") as visitor:
        answer = await visitor.get(f"{HOME}/deliveries?{asked}")
    assert answer.status_code == 422
    assert told in text_of(answer)


async def test_a_day_is_meant_to_its_end_in_the_operators_zone(api: Api) -> None:
    at = datetime(2025, 11, 15, 16, 59, tzinfo=UTC)  # 23:59 in Jakarta
    identity = f"dlv_{int(at.timestamp() * 1000):012x}0123456789-0123456789abcdef"
    api.rows["deliveries"].insert_one(stored_delivery("sent", _id=identity))
    async with browser(api, "cs") as visitor:
        assert "6281******001" in (await visitor.get(f"{HOME}/deliveries?since=2025-11-15&until=2025-11-15")).text
        assert "6281******001" not in (await visitor.get(f"{HOME}/deliveries?since=2025-11-16")).text


async def test_a_delivery_tells_what_happened_and_who_may_see_the_number_is_written_down(api: Api) -> None:
    row = dead()
    api.rows["deliveries"].insert_one(row)
    address = f"{HOME}/deliveries/{row['_id']}"
    async with browser(api, "admin") as visitor:
        shown = await visitor.get(address)
        assert SITI not in shown.text
        for said in ("6281******001", "put there by a test", "fonnte-1", "no connection for 6281******001"):
            assert said in shown.text
        revealed = await visitor.submit(f"{address}/reveal")
        assert revealed.status_code == 200
        assert SITI in revealed.text
        assert SITI not in (await visitor.get(address)).text
        assert "It is queued again." in await visitor.act(f"{address}/retry")
        assert "It is cancelled now." in await visitor.act(f"{address}/cancel")
        assert (await visitor.submit(f"{address}/cancel")).status_code == 409
    acts = [(action, outcome) for _, action, outcome in audited(api) if action.startswith("delivery.")]
    assert acts == [("delivery.reveal", "done"), ("delivery.retry", "done"), ("delivery.cancel", "done"),
                    ("delivery.cancel", "refused")]  # fmt: skip


async def test_who_may_only_look_is_offered_nothing_else(api: Api) -> None:
    row = dead()
    api.rows["deliveries"].insert_one(row)
    async with browser(api, "technician") as visitor:
        shown = await visitor.get(f"{HOME}/deliveries/{row['_id']}")
        home = await visitor.get(HOME)
    assert shown.status_code == 200
    assert "formaction" not in shown.text
    assert f'href="{HOME}/failures"' not in shown.text
    assert home.headers["location"] == f"{HOME}/deliveries"


# --- Why not? -----------------------------------------------------------------------------------------------


async def test_everything_about_a_person_is_on_one_page_however_they_are_named(api: Api) -> None:
    api.rows["customers"].delete_many({})
    api.rows["customers"].insert_one({"_id": "C-17", "name": "Siti", "phone": SITI, "email": "siti@example.com"})
    by_mail = stored_notification(channels=["email"])
    rows = [dead(), stored_delivery("sent"), stored_delivery("read", notification=by_mail, to="siti@example.com")]
    api.rows["deliveries"].insert_many([*rows, stored_delivery(to="6281200000002")])
    async with browser(api, "cs") as visitor:
        for asked, stories in ((SITI, 2), ("0812 0000 0001", 2), ("C-17", 3), (rows[0]["_id"], 2),
                               (rows[1]["notification_id"], 2), ("siti@example.com", 1)):  # fmt: skip
            shown = await visitor.get(f"{HOME}/why?q={quote(asked)}")
            assert shown.text.count("<article") == stories, asked
            assert "6281******002" not in shown.text
    for said in ("Nobody got it: every try failed", "fonnte-1", "put there by a test", "6281******001"):
        assert said in (await asked_why(api, SITI))


async def asked_why(api: Api, q: str, role: str = "cs") -> str:
    async with browser(api, role) as visitor:
        return (await visitor.http.get(f"{HOME}/why?q={quote(q)}")).text


async def test_who_may_not_be_contacted_is_said_to_administrators(api: Api) -> None:
    api.rows["suppressions"].insert_one(
        {"_id": SITI, "reason": "opt_out", "note": None, "created_by": SITI, "created_at": datetime.now(UTC)}
    )
    assert "Nobody may contact this recipient: opt out" in await asked_why(api, SITI, "admin")
    assert "Nobody may contact" not in await asked_why(api, SITI, "cs"), "the list is theirs alone"
    api.rows["suppressions"].delete_many({})


async def test_who_cannot_be_meant_is_told_what_to_type(api: Api) -> None:
    assert "Nothing was ever planned for this recipient." in await asked_why(api, "6281200000009")
    assert "neither a number" in await asked_why(api, "somebody")
    assert "there is no delivery" in await asked_why(api, "dlv_0")
    assert "Type what they told you." in await asked_why(api, "")


async def test_a_broadcast_asks_for_whom(api: Api) -> None:
    of = stored_notification(recipients=9)
    api.rows["deliveries"].insert_many([stored_delivery(notification=of, to=f"6281200000{n:03d}") for n in range(9)])
    assert "This notification went to many" in await asked_why(api, of["_id"])


# --- What else there is -------------------------------------------------------------------------------------


async def test_a_broadcast_shows_how_far_it_is_and_is_called_off_by_who_may_send_it(api: Api) -> None:
    of = stored_notification(type="promotion", recipients=3)
    api.rows["notifications"].insert_many([of, stored_notification()])
    api.rows["deliveries"].insert_many(
        [stored_delivery(status, notification=of, to=f"628120000000{number}")
         for number, status in enumerate(("sent", "queued", "queued"))]
    )  # fmt: skip
    address = f"{HOME}/broadcasts/{of['_id']}"
    async with browser(api, "manager") as visitor:
        listed = text_of(await visitor.get(f"{HOME}/broadcasts"))
        assert "1 of 3 sent, 2 wait" in listed
        assert "Custom" not in listed, "went to one"
        assert "Call it off" in text_of(await visitor.get(address))
        assert "about 2 of 3" in text_of(await visitor.get(f"{address}/cancel"))
        assert "Called off: 2 that waited." in await visitor.act(f"{address}/cancel")
    assert ("a manager", "notification.cancel", "done") in audited(api)
    async with browser(api, "cs") as visitor:
        assert "Call it off" not in text_of(await visitor.get(address))


async def test_older_broadcasts_follow_page_by_page(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rows = [stored_notification(recipients=2, created_at=now - timedelta(minutes=number)) for number in range(12)]
    api.rows["notifications"].insert_many(rows)
    async with browser(api, "cs") as visitor:
        first = await visitor.get(f"{HOME}/broadcasts")
        older = re.search(r'href="([^"]*cursor=[^"]*)"', first.text)
        assert older is not None
        second = await visitor.get(older[1])
    assert [text.count("<article") for text in (first.text, second.text)] == [10, 2]


async def test_a_job_is_run_for_a_day_once_however_often_the_button_is_pressed(api: Api) -> None:
    job = {"_id": "dunning", "schedule": "0 8 * * *", "timezone": "Asia/Jakarta", "oldest_seconds": 60.0,
           "longest_seconds": 60.0, "next_run": datetime.now(UTC) - timedelta(hours=1)}  # fmt: skip
    api.rows["jobs"].insert_one(job)
    async with browser(api, "noc") as visitor:
        assert "overdue" in text_of(await visitor.get(f"{HOME}/jobs"))
        await visitor.get(f"{HOME}/jobs/dunning")
        key = visitor.key
        for _ in range(2):
            said = await visitor.act(f"{HOME}/jobs/dunning/run", key=key, date="2025-11-15", dry_run="yes")
            assert "A scheduler tries dunning in a moment." in said
        assert "a trial" in said
        refused = await visitor.submit(f"{HOME}/jobs/dunning/run", date="2125-11-15")
        assert refused.status_code == 422
        assert "still to come" in text_of(refused)
        assert (await visitor.get(f"{HOME}/jobs/nothing")).status_code == 404
    runs = list(api.rows["job_runs"].find({"job": "dunning"}))
    assert [(run["day"], run["dry_run"], run["requested_by"]) for run in runs] == [("2025-11-15", True, "a noc")]
    api.rows["jobs"].delete_many({})


async def test_a_text_is_tried_and_published_and_a_mistake_is_told_beside_what_was_typed(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        shown = await visitor.get(f"{HOME}/templates/welcome")
        assert "version 1, in use" in text_of(shown)
        drafted = await visitor.submit(f"{HOME}/templates/welcome/preview", whatsapp="Halo {{ customer.name }}!")
        assert "a draft that is not published" in text_of(drafted)
        assert re.search(r'<pre class="message">Halo \w+', drafted.text)
        broken = await visitor.submit(f"{HOME}/templates/welcome/publish", version="1", whatsapp="Halo {{ name")
        assert broken.status_code == 422
        assert ">Halo {{ name</textarea>" in broken.text
        given = {"version": "1", "whatsapp": "Halo {{ customer.name }}\r\nselamat datang."}
        said = await visitor.act(f"{HOME}/templates/welcome/publish", **given)
        assert "Version 2 is used from now on." in said
        late = await visitor.submit(f"{HOME}/templates/welcome/publish", **given)
        assert late.status_code == 409, "somebody else was faster"
    stored = api.rows["templates"].find_one({"_id": "welcome:2"})
    assert stored is not None
    assert stored["whatsapp"] == "Halo {{ customer.name }}\nselamat datang."
    assert ("a admin", "template.publish", "done") in audited(api)


async def test_who_may_not_publish_may_look_and_try(api: Api) -> None:
    async with browser(api, "cs") as visitor:
        shown = await visitor.get(f"{HOME}/templates/payment_reminder")
        assert "Publish" not in text_of(shown)
        assert (await visitor.submit(f"{HOME}/templates/payment_reminder/preview")).status_code == 200


def filled(page: str) -> dict[str, Any]:
    """The form of a route as a browser would send it."""
    fields: dict[str, Any] = dict(re.findall(r'<input(?![^>]*checkbox)[^>]* name="(\w+)"[^>]*? value="([^"]*)"', page))
    for name, value in re.findall(r'<input[^>]*checkbox" name="(\w+)" value="(\w+)" checked', page):
        fields[name] = [*fields.get(name, []), value]
    for name, options in re.findall(r'<select[^>]* name="(\w+)">(.*?)</select>', page):
        chosen = re.search(r"<option selected>(\w+)", options)
        fields[name] = chosen[1] if chosen else ""
    return fields


async def test_a_route_is_changed_where_it_was_changed_and_put_back(api: Api) -> None:
    address = f"{HOME}/routes/promotion"
    async with browser(api, "admin") as visitor:
        form = filled((await visitor.get(address)).text)
        assert "Nothing changed." in await visitor.act(address, **form)
        changed = {**form, "priority": "high", "begins": "08:00", "ends": "20:00", "provider_0": "wablas"}
        assert "It goes like this from now on." in await visitor.act(address, **changed)
        stored = api.rows["routes"].find_one({"_id": "promotion"})
        assert stored is not None
        assert (stored["priority"], stored["hours"], stored["providers"]) == (
            "high", {"begins": "08:00", "ends": "20:00"}, ["wablas"],
        )  # fmt: skip
        assert "validity_seconds" not in stored, "what was not touched is still the default"
        late = await visitor.submit(address, **{**changed, "priority": "low"})
        assert late.status_code == 409
        wrong = await visitor.submit(address, **{**filled((await visitor.get(address)).text), "begins": ""})
        assert wrong.status_code == 422
        assert "It goes as it did at first." in await visitor.act(f"{address}/restore")
    assert ("a admin", "route.change", "refused") in audited(api)


async def test_groups_are_kept_and_tried(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        await visitor.get(f"{HOME}/groups")
        wrong = await visitor.submit(f"{HOME}/groups/add", name="Tim", purpose="team", id_fonnte=SITI)
        assert wrong.status_code == 422
        assert "a person" in text_of(wrong)
        group_id = "120363000000000001@g.us"
        said = await visitor.act(f"{HOME}/groups/add", name="Tim", purpose="team", id_fonnte=group_id)
        assert "Added Tim." in said
        stored = api.rows["groups"].find_one({"name": "Tim"})
        assert stored is not None
        own = f"{HOME}/groups/{stored['_id']}"
        assert "Tim gets no more messages." in await visitor.act(f"{own}/deactivate")
        assert "Tim gets messages from now on." in await visitor.act(f"{own}/activate")
        purpose = {f"purpose-{stored['_id']}": "management"}
        assert "Tim is for management." in await visitor.act(f"{own}/purpose", **purpose)
        assert "The test message is in the queue." in await visitor.act(f"{own}/test", key=visitor.key)
        assert (await visitor.submit(f"{HOME}/groups/sync")).status_code == 409, "nobody is there to be asked"
        assert "The group is not known any more." in await visitor.act(f"{own}/remove")
    acts = [action for _, action, outcome in audited(api) if action.startswith("group.") and outcome == "done"]
    assert acts == ["group.add", "group.change", "group.change", "group.change", "group.test", "group.remove"]


async def test_the_audit_log_tells_who_did_what_and_is_searched(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender("fonnte-1"))
    async with browser(api, "admin") as visitor:
        await visitor.act(f"{HOME}/senders/fonnte-1/pause")
        shown = text_of(await visitor.get(f"{HOME}/audit?action=sender.pause"))
        assert "a admin admin sender.pause fonnte-1 done" in shown
        assert "before status available" in shown
        assert "session.begin" not in shown
        assert "No entry fits this." in text_of(await visitor.get(f"{HOME}/audit?actor=nobody"))
        assert (await visitor.get(f"{HOME}/audit?since=yesterday")).status_code == 422


# --- Live ---------------------------------------------------------------------------------------------------


async def events(visitor: httpx.AsyncClient, seen: list[tuple[str, str]]) -> None:
    """Read the stream into `seen` until it ends."""
    async with visitor.stream("GET", f"{HOME}/live", timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name, lines = "", []
        async for line in answer.aiter_lines():
            kind, _, rest = line.partition(": ")
            if kind == "event":
                name = rest
            elif kind == "data":
                lines.append(rest)
            elif not line and name:
                seen.append((name, "\n".join(lines)))
                name, lines = "", []


@pytest.mark.parametrize("role", ROLES)
async def test_only_operators_watch(api: Api, role: str) -> None:
    async with browser(api, role) as visitor:
        request = visitor.http.build_request("GET", f"{HOME}/live")
        answer = await visitor.http.send(request, stream=True)
        await answer.aclose()
    assert (answer.status_code == 200) == (role in OPERATORS)


async def test_who_watches_sees_changes_and_no_more_once_signed_out(api: Api) -> None:
    async with browser(api, "noc") as visitor:
        seen: list[tuple[str, str]] = []
        watching = asyncio.create_task(events(visitor.http, seen))

        async def everything() -> bool:
            return {"queue", "sends", "senders"} <= {name for name, _ in seen}

        await until(everything, "not everything came at first")
        seen.clear()
        api.rows["deliveries"].insert_one(stored_delivery(to=SITI))

        async def changed() -> bool:
            return any(name == "queue" and "6281******001" in text for name, text in seen)

        await until(changed, "what changed did not come")
        assert "senders" not in {name for name, _ in seen}, "what did not change came again"
        assert "form_token" not in str(seen)
        await visitor.submit(f"{HOME}/sign-out")
        await asyncio.wait_for(watching, 60)
    assert seen[-1][0] == "signed-out"


async def test_a_process_ends_while_somebody_watches(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, new_database(mongodb), log, KABAR_ADMIN_ACCOUNTS=ACCOUNTS) as started:
        wait_until(lambda: ready(started), "api-gateway is not ready")
        async with browser(started, "noc") as visitor:
            seen: list[tuple[str, str]] = []
            watching = asyncio.create_task(events(visitor.http, seen))

            async def began() -> bool:
                return bool(seen)

            await until(began, "nothing came")
            started.process.terminate()
            await asyncio.wait_for(watching, 30)
    assert started.process.returncode == 0
