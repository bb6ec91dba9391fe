"""Who gets in at the admin page, who stays in, and what a form needs."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from local_stack.servers import PrivateRabbitMQ
from tests.support.access_table import ROLES
from tests.support.api import Api, ready, running_api, token, wait_until
from tests.support.pages import (
    ACCOUNTS,
    HOME,
    OPEN,
    PAGES,
    PASSWORD,
    WATCHED,
    Page,
    account,
    audited,
    browser,
    page_routes,
    text_of,
)
from tests.support.stored_deliveries import stored_delivery, stored_notification

Document = dict[str, Any]
SITI = "6281200000001"


def test_every_page_says_who_may_look() -> None:
    assert page_routes() == {page.key for page in PAGES} | OPEN | WATCHED


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
async def test_a_page_is_for_its_roles_alone(pages: Api, page: Page) -> None:
    broadcast = stored_notification(type="promotion")
    pages.rows["notifications"].insert_one(broadcast)
    address = page.address(broadcast=broadcast["_id"])
    for role in ROLES:
        async with browser(pages, role) as visitor:
            if page.method == "GET":
                answer = await visitor.get(address)
            else:
                answer = await visitor.submit(address, **page.fields)
        elsewhere = answer.status_code == 303 and page.method == "GET"
        refused = answer.status_code == 403 or elsewhere
        assert refused == (role not in page.roles), (role, answer.status_code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.key)
async def test_who_is_not_signed_in_is_asked_to(pages: Api, page: Page) -> None:
    async with browser(pages) as visitor:
        answer = await visitor.http.request(page.method, page.address(broadcast="x"))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{HOME}/sign-in")


async def test_a_name_and_a_password_let_somebody_in_and_leave_a_trace(pages: Api) -> None:
    async with browser(pages) as visitor:
        answer = await visitor.sign_in()
        assert answer.status_code == 303
        shown = await visitor.get(answer.headers["location"])
        assert "siti admin" in text_of(shown)
    assert audited(pages) == [("siti", "session.begin", "done")]


@pytest.mark.parametrize(("name", "password"), [("siti", "another one"), ("nobody", PASSWORD), ("", "")])
async def test_a_wrong_name_and_a_wrong_password_are_told_the_same(pages: Api, name: str, password: str) -> None:
    async with browser(pages) as visitor:
        answer = await visitor.sign_in(name, password)
        assert answer.status_code == 401
        assert "The name or the password is wrong." in text_of(answer)
        assert (await visitor.get(HOME)).status_code == 303


async def test_a_token_of_the_portal_lets_in_until_it_ends(pages: Api) -> None:
    async with browser(pages) as visitor:
        await visitor.get(f"{HOME}/sign-in")
        answer = await visitor.submit(f"{HOME}/sign-in", token=token("noc", sub="agus"))
        assert answer.status_code == 303
    stored = pages.rows["sessions"].find_one({"subject": "agus"})
    assert stored is not None
    assert stored["expires_at"] < datetime.now(UTC) + timedelta(minutes=15)


@pytest.mark.parametrize("bad", ["nonsense", token("noc", secret="another secret, of 32 characters"), token("boss")])
async def test_a_token_that_the_api_would_not_take_lets_nobody_in(pages: Api, bad: str) -> None:
    async with browser(pages) as visitor:
        await visitor.get(f"{HOME}/sign-in")
        answer = await visitor.submit(f"{HOME}/sign-in", token=bad)
        assert answer.status_code in {401, 403}
        assert (await visitor.get(HOME)).status_code == 303


async def test_after_five_wrong_passwords_one_has_to_wait_but_only_for_that_name(pages: Api) -> None:
    async with browser(pages) as visitor:
        codes = [(await visitor.sign_in("siti", "guessed")).status_code for _ in range(6)]
        assert codes == [401] * 5 + [429]
        refused = await visitor.sign_in()
        assert refused.status_code == 429, "the right one is no way around"
        assert int(refused.headers["retry-after"]) > 0
        assert (await visitor.sign_in("budi")).status_code == 303


async def test_all_addresses_of_one_network_are_one_who_guesses(pages: Api) -> None:
    async with browser(pages) as visitor:
        codes = []
        for number in range(6):
            visitor.http.headers["X-Forwarded-For"] = f"2001:db8::{number:x}:1"
            codes.append((await visitor.sign_in("siti", "guessed")).status_code)
        assert codes == [401] * 5 + [429]
        visitor.http.headers["X-Forwarded-For"] = "2001:db8:0:1::1"
        assert (await visitor.sign_in()).status_code == 303


async def test_the_right_password_clears_what_was_mistyped(pages: Api) -> None:
    async with browser(pages) as visitor:
        for _ in range(2):
            for _ in range(4):
                assert (await visitor.sign_in("siti", "mistyped")).status_code == 401
            assert (await visitor.sign_in()).status_code == 303


async def test_one_is_brought_to_the_page_one_wanted_and_never_to_another_site(pages: Api) -> None:
    async with browser(pages) as visitor:
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


async def test_signing_out_ends_the_session_for_whoever_copied_it(pages: Api) -> None:
    async with browser(pages, "admin") as visitor:
        copied = dict(visitor.http.cookies)
        assert (await visitor.submit(f"{HOME}/sign-out")).status_code == 303
        assert not visitor.http.cookies.get("kabar_session")
    async with httpx.AsyncClient(base_url=pages.url, cookies=copied) as thief:
        assert (await thief.get(HOME, headers={"Accept": "text/html"})).status_code == 303
    assert ("a admin", "session.end", "done") in audited(pages)


async def test_what_the_browser_holds_is_out_of_reach_and_stored_as_a_digest(pages: Api) -> None:
    async with browser(pages) as visitor:
        answer = await visitor.sign_in()
        cookie = next(line for line in answer.headers.get_list("set-cookie") if line.startswith("kabar_session="))
        secret = visitor.http.cookies["kabar_session"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert f"Path={HOME}" in cookie
    assert secret not in str(list(pages.rows["sessions"].find()))


async def test_behind_tls_the_cookie_is_for_that_alone(pages: Api) -> None:
    async with browser(pages, **{"X-Forwarded-Proto": "https"}) as visitor:
        answer = await visitor.http.get(f"{HOME}/sign-in")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-kabar_visit=")
    assert "Secure" in cookie
    assert "Path=/;" in cookie
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


async def test_every_replica_knows_who_is_signed_in_unless_the_password_is_another_one_now(
    pages: Api, rabbitmq: PrivateRabbitMQ, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with browser(pages) as visitor:
        await visitor.sign_in()
        cookies = dict(visitor.http.cookies)
    changed = account("siti", "admin", "a password that was changed")
    for accounts, status in ((ACCOUNTS, 200), (changed, 303), (account("budi", "noc"), 303)):
        log = tmp_path_factory.mktemp("replica") / "log"
        with running_api(rabbitmq.url, pages.mongodb_url, log, KABAR_ADMIN_ACCOUNTS=accounts) as replica:
            wait_until(lambda of=replica: ready(of), "the replica is not ready")  # type: ignore[misc]
            async with httpx.AsyncClient(base_url=replica.url, cookies=cookies, timeout=60) as http:
                assert (await http.get(HOME, headers={"Accept": "text/html"})).status_code == status


async def test_a_session_ends_after_a_working_day(pages: Api) -> None:
    async with browser(pages, "admin") as visitor:
        pages.rows["sessions"].update_many({}, {"$set": {"expires_at": datetime.now(UTC) - timedelta(seconds=1)}})
        assert (await visitor.get(HOME)).status_code == 303


@pytest.mark.parametrize("given", [None, "", "0" * 64])
async def test_a_form_that_is_not_ones_own_does_nothing(pages: Api, given: str | None) -> None:
    pages.rows["deliveries"].insert_one(stored_delivery())
    async with browser(pages, "admin") as visitor:
        answer = await visitor.http.post(f"{HOME}/queue/clear", data={} if given is None else {"form_token": given})
    assert answer.status_code == 403
    assert pages.rows["deliveries"].count_documents({"status": "queued"}) == 1


async def test_the_form_of_somebody_elses_session_does_nothing(pages: Api) -> None:
    async with browser(pages, "admin") as mine, browser(pages, "admin") as other:
        mine.page = other.page
        assert (await mine.submit(f"{HOME}/queue/clear")).status_code == 403


@pytest.mark.parametrize(
    "told",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://example.com"},
        {"Origin": "http://["},
        {"Origin": "null"},
    ],
)
async def test_a_form_on_another_site_does_nothing_whatever_it_carries(pages: Api, told: dict[str, str]) -> None:
    async with browser(pages, "admin") as visitor:
        visitor.http.headers.update(told)
        assert (await visitor.submit(f"{HOME}/queue/clear")).status_code == 403


async def test_nobody_is_signed_in_by_a_form_of_another_site(pages: Api) -> None:
    async with browser(pages) as attacker, browser(pages) as victim:
        await attacker.get(f"{HOME}/sign-in")
        victim.page = attacker.page
        answer = await victim.submit(f"{HOME}/sign-in", name="siti", password=PASSWORD)
        assert answer.status_code == 403
        assert "kabar_session" not in victim.http.cookies


async def test_a_form_that_is_too_large_is_refused(pages: Api) -> None:
    async with browser(pages, "admin") as visitor:
        answer = await visitor.submit(f"{HOME}/queue/send-test", message="x" * 70_000)
    assert answer.status_code == 413
