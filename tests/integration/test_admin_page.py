"""What the admin page tells a browser, what operators do on its first page, and what changes while they watch."""

import asyncio
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.access_table import OPERATORS, ROLES
from tests.support.api import Api, ready, running_api, until, wait_until
from tests.support.pages import ACCOUNTS, HOME, audited, browser, events, text_of
from tests.support.servers import new_database
from tests.support.stored_deliveries import stored_delivery, stored_notification, stored_sender

Document = dict[str, Any]
SITI = "6281200000001"


@pytest.mark.parametrize("path", [HOME, f"{HOME}/sign-in", f"{HOME}/queue/clear", f"{HOME}/nothing"])
async def test_a_page_allows_nothing_of_others_and_nothing_inline(pages: Api, path: str) -> None:
    async with browser(pages, "admin") as visitor:
        answer = await visitor.http.get(path)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script(?! src)|<style|\sstyle=|\son\w+=|https?://", answer.text)


async def test_everything_a_page_loads_is_ours_and_may_be_kept(pages: Api) -> None:
    async with browser(pages) as visitor:
        await visitor.get(f"{HOME}/sign-in")
        loaded = set(re.findall(r'(?:src|href)="([^"#]+)"', visitor.page)) - {HOME}
        assert len(loaded) == 5
        for path in loaded:
            answer = await visitor.http.get(path)
            assert answer.status_code == 200, path
            assert "immutable" in answer.headers["cache-control"]
        assert (await visitor.http.get(f"{HOME}/assets/000000000000/page.css")).status_code == 404


async def test_a_page_that_is_not_there_says_so_and_the_api_still_answers_in_json(pages: Api) -> None:
    async with browser(pages, "admin") as visitor:
        nothing = await visitor.get(f"{HOME}/nothing")
        assert nothing.status_code == 404
        assert "There is no such page." in text_of(nothing)
        assert (await visitor.http.get(f"{HOME}/clear")).status_code == 405
        status = await visitor.http.get(f"{HOME}/status")
        assert status.status_code == 401, "a session is no token"
        assert status.json()["code"] == "UNAUTHENTICATED"


async def test_the_overview_shows_queue_and_senders_with_numbers_masked(pages: Api) -> None:
    pages.rows["deliveries"].insert_many(
        [stored_delivery(to="6281200000007", priority="high"), stored_delivery("sent", sent_at=datetime.now(UTC))]
    )
    pages.rows["senders"].insert_one(stored_sender("fonnte-1", quota_remaining=812, quota_total=1000))
    async with browser(pages, "noc") as visitor:

        async def shown() -> bool:
            answer = await visitor.get(HOME)
            return "6281******007" in answer.text

        await until(shown, "the queue is not shown")
        text = re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", visitor.page))
    assert "6281200000007" not in visitor.page
    assert "188 used, 812 left of 1,000" in text
    assert "Times are in Asia/Jakarta (WIB)" in text


async def test_clearing_says_how_many_asks_and_is_audited_like_over_the_api(pages: Api) -> None:
    pages.rows["deliveries"].insert_many([stored_delivery(notification=stored_notification()) for _ in range(3)])
    async with browser(pages, "noc") as visitor:
        asked = await visitor.get(f"{HOME}/queue/clear")
        assert "cancels 3 deliveries" in text_of(asked)
        assert "Cancelled 3 deliveries." in await visitor.act(f"{HOME}/queue/clear")
        again = await visitor.get(HOME)
        assert "Cancelled" not in again.text, "said once"
    assert pages.rows["deliveries"].count_documents({"status": "cancelled"}) == 3
    assert ("a noc", "queue.clear", "done") in audited(pages)


async def test_clearing_twice_with_one_press_spares_what_joined_in_between(pages: Api) -> None:
    pages.rows["deliveries"].insert_one(stored_delivery(notification=stored_notification()))
    async with browser(pages, "noc") as visitor:
        await visitor.get(f"{HOME}/queue/clear")
        key = visitor.key
        assert "Cancelled 1 delivery." in await visitor.act(f"{HOME}/queue/clear", key=key)
        pages.rows["deliveries"].insert_one(stored_delivery(notification=stored_notification()))
        assert "Cancelled 1 delivery." in await visitor.act(f"{HOME}/queue/clear", key=key)
    assert pages.rows["deliveries"].count_documents({"status": "queued"}) == 1


async def test_what_met_an_outage_is_not_said_to_have_done_nothing(
    private_mongodb: Callable[[], PrivateMongo], rabbitmq: PrivateRabbitMQ, tmp_path: Path
) -> None:
    server = private_mongodb()
    with running_api(rabbitmq.url, server.url, tmp_path / "log") as started:
        wait_until(lambda: ready(started), "api-gateway is not ready")
        async with browser(started, "noc") as visitor:
            server.pause()
            refused = await visitor.submit(f"{HOME}/queue/clear")
            looked = await visitor.get(HOME)
            server.resume()
    assert (refused.status_code, looked.status_code) == (503, 503)
    assert "may have been done: look before you ask again" in text_of(refused)
    assert "Look again in a moment" in text_of(looked)


async def test_a_sender_is_paused_resumed_and_its_limits_reset(pages: Api) -> None:
    pages.rows["senders"].insert_one(stored_sender("fonnte-1"))
    async with browser(pages, "noc") as visitor:
        assert "fonnte-1 is paused." in await visitor.act(f"{HOME}/senders/fonnte-1/pause")
        assert "paused by a noc" in visitor.page
        assert "takes work again" in await visitor.act(f"{HOME}/senders/fonnte-1/resume")
        asked = text_of(await visitor.get(f"{HOME}/senders/fonnte-1/reset-limits"))
        assert "It cannot be undone" in asked
        assert "starts its limits anew" in await visitor.act(f"{HOME}/senders/fonnte-1/reset-limits")
        assert (await visitor.submit(f"{HOME}/senders/nobody-1/pause")).status_code == 404
        assert (await visitor.get(f"{HOME}/senders/nobody-1/reset-limits")).status_code == 404
        assert (await visitor.submit(f"{HOME}/senders/fonnte-1/explode")).status_code == 404
    acts = [action for _, action, _ in audited(pages) if action.startswith("sender.")]
    assert acts == ["sender.pause", "sender.resume", "sender.reset-limits"]


async def test_what_waits_for_a_retry_is_lined_up(pages: Api) -> None:
    waiting = stored_delivery(retries=1)
    del waiting["lane"]
    pages.rows["deliveries"].insert_one(waiting)
    async with browser(pages, "noc") as visitor:
        assert "Lined up 1 delivery" in await visitor.act(f"{HOME}/queue/force-process")
    assert ("a noc", "queue.force-process", "done") in audited(pages)


async def test_a_test_message_is_accepted_once_however_often_the_button_is_pressed(pages: Api) -> None:
    async with browser(pages, "noc") as visitor:
        key = visitor.key
        for _ in range(2):
            said = await visitor.act(f"{HOME}/queue/send-test", key=key, to=SITI, message="halo")
            assert "The test message is in the queue." in said
        assert visitor.key != key
    assert pages.rows["notifications"].count_documents({}) == 1
    assert ("a noc", "queue.send-test", "done") in audited(pages)


async def test_a_number_that_is_none_is_told_on_the_page_and_nothing_typed_is_lost(pages: Api) -> None:
    async with browser(pages, "noc") as visitor:
        answer = await visitor.submit(f"{HOME}/queue/send-test", key=visitor.key, to="12", message="<b>halo")
    assert answer.status_code == 422
    assert 'value="12"' in answer.text
    assert "&lt;b&gt;halo" in answer.text
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("role", ROLES)
async def test_only_operators_watch(pages: Api, role: str) -> None:
    async with browser(pages, role) as visitor:
        request = visitor.http.build_request("GET", f"{HOME}/live")
        answer = await visitor.http.send(request, stream=True)
        await answer.aclose()
    assert (answer.status_code == 200) == (role in OPERATORS)


async def test_who_watches_sees_changes_and_no_more_once_signed_out(pages: Api) -> None:
    async with browser(pages, "noc") as visitor:
        seen: list[tuple[str, str]] = []
        watching = asyncio.create_task(events(visitor.http, seen))

        async def everything() -> bool:
            return {"queue", "sends", "senders"} <= {name for name, _ in seen}

        await until(everything, "not everything came at first")
        seen.clear()
        pages.rows["deliveries"].insert_one(stored_delivery(to=SITI))

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
