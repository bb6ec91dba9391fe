"""The admin page in a browser, against a running Kabar: what an operator sees, presses and is told.

Pictures of every page, wide and narrow, light and dark, are left below `.run/pages`.
"""

import re
import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any, Literal
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from tests.support.catalogue import ROOT
from tests.support.kabar import Kabar, eventually
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification

HOME = "/admin/whatsapp-queue"
PICTURES = ROOT / ".run" / "pages"
GENEROUS = 30_000
"""Milliseconds; a busy machine may take them."""
WIDE, NARROW = ViewportSize(width=1440, height=900), ViewportSize(width=390, height=844)
PHONES = (360, 430, 390)
"""How wide they are; the last one is on the pictures."""
CUT_OFF = """[...document.querySelectorAll("html, .top ul, .card, .scroll")]
    .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.className || one.tagName)"""
LOOKS = [(WIDE, "light"), (WIDE, "dark"), (NARROW, "light"), (NARROW, "dark")]
POLICY = "Content Security Policy"
PAGES = [
    *(
        "",
        "/queue/clear",
        "/senders/fonnte-1/reset-limits",
        "/failures",
        "/deliveries",
        "/deliveries?q=12",
        "/why",
        "/why?q=6281200000045",
        "/broadcasts",
    ),
    *("/jobs", "/jobs/dunning", "/templates", "/templates/welcome", "/routes", "/routes/promotion", "/groups"),
    *("/audit", "/nothing"),
]
expect.set_options(timeout=GENEROUS)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    found = shutil.which("chromium")
    assert found is not None, "deploy/local/bootstrap --tests installs it"
    async with async_playwright() as playwright:
        # As root Chromium starts without its sandbox alone; it only meets our own pages here.
        browser = await playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        await browser.close()


async def opened(chromium: Browser, kabar: Kabar, **options: Any) -> Page:
    context = await chromium.new_context(base_url=kabar.access.url, **options)
    context.set_default_timeout(GENEROUS)
    return await context.new_page()


async def sign_in(page: Page, kabar: Kabar) -> None:
    assert kabar.access.page_password is not None
    await page.goto(HOME)
    await page.get_by_label("Name").fill("admin")
    await page.get_by_label("Password").fill(kabar.access.page_password)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.get_by_role("heading", name="WhatsApp queue")).to_be_visible()


@pytest_asyncio.fixture(loop_scope="session")
async def page(chromium: Browser, kabar: Kabar) -> AsyncIterator[Page]:
    """Somebody signed in, at the overview; what a script fails at, or what the policy forbids, fails the test."""
    page = await opened(chromium, kabar, viewport=WIDE)
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if POLICY in said.text else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await sign_in(page, kabar)
    yield page
    await page.context.close()
    assert not complaints


async def test_what_is_queued_appears_without_a_hand_and_goes_when_it_is_cleared(page: Page, kabar: Kabar) -> None:
    senders = [one["id"] for one in (await kabar.get("/api/senders"))["items"] if one["provider"] != "email"]
    for sender in senders:
        await page.get_by_role("button", name=f"Pause {sender}").click()
        await expect(page.get_by_role("status").filter(has_text=f"{sender} is paused.")).to_be_visible()
    await expect(page.locator("#live")).to_have_text("Live")
    await kabar.accept(to=["6281200000041", "6281200000042"], message="halo")
    await expect(page.locator("[sse-swap=queue]")).to_contain_text("6281******042")
    await page.get_by_role("link", name="Clear the queue…").click()
    await page.get_by_role("button", name=re.compile(r"Cancel \d+ deliver")).click()
    await expect(page.get_by_role("status").filter(has_text=re.compile(r"Cancelled \d+ deliver"))).to_be_visible()
    await expect(page.locator("[sse-swap=queue]")).to_contain_text("Nothing waits.")


async def test_what_has_the_focus_keeps_it_while_the_page_changes(page: Page, kabar: Kabar) -> None:
    button = page.get_by_role("button", name="Check now fonnte-1")
    await button.focus()
    await kabar.http.post("/api/senders/fonnte-1/pause")
    await expect(page.get_by_role("button", name="Resume fonnte-1")).to_be_visible()
    await expect(button).to_be_focused()


async def test_a_page_that_is_cut_off_comes_back_by_itself(page: Page, kabar: Kabar) -> None:
    await expect(page.locator("#live")).to_have_text("Live")
    kabar.kill("api-gateway-1")
    await expect(page.locator("#live")).not_to_have_text("Live")

    async def back() -> bool:
        try:
            return (await kabar.http.get("/readyz")).status_code == 200
        except httpx.HTTPError:
            return False

    await eventually(back, seconds=60)
    await expect(page.locator("#live")).to_have_text("Live")
    await kabar.http.post("/api/senders/fonnte-1/pause")
    await expect(page.get_by_role("button", name="Resume fonnte-1")).to_be_visible()


async def test_signing_out_in_one_window_ends_the_other(page: Page) -> None:
    other = await page.context.new_page()
    await other.goto(HOME)
    await expect(other.locator("#live")).to_have_text("Live")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await expect(other.get_by_role("heading", name="Sign in")).to_be_visible()


async def test_everything_works_without_a_script(chromium: Browser, kabar: Kabar) -> None:
    page = await opened(chromium, kabar, java_script_enabled=False)
    await sign_in(page, kabar)
    await page.get_by_role("button", name="Pause fonnte-1").click()
    await expect(page.get_by_text("fonnte-1 is paused.")).to_be_visible()
    await page.get_by_role("button", name="Resume fonnte-1").click()
    await expect(page.get_by_text("fonnte-1 takes work again.")).to_be_visible()
    await page.context.close()


async def test_a_failure_is_found_looked_at_and_tried_again(page: Page, kabar: Kabar) -> None:
    accepted = await kabar.accept(to=["6281200000043"], message="halo", providers=["fonnte"])
    await kabar.settled(accepted["notification_id"], 1, seconds=60)
    kabar.database["deliveries"].update_one(
        {"notification_id": accepted["notification_id"]},
        [
            {
                "$set": {
                    "status": "failed",
                    "code": "RETRY_FAILED",
                    "reason": "put there by a test",
                    "dead_at": "$$NOW",
                }
            }
        ],
    )
    await page.get_by_role("link", name="Failures").click()
    await page.get_by_role("link", name="6281******043").first.click()
    await expect(page.get_by_role("heading", name="What happened")).to_be_visible()
    await expect(page.get_by_text("put there by a test")).to_be_visible()
    await page.get_by_role("button", name="Try again").click()

    async def sent() -> bool:
        return bool((await kabar.delivery(accepted["notification_id"]))["status"] == "sent")

    await eventually(sent, seconds=60)
    await page.reload()
    await expect(page.get_by_text("retried by admin")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), LOOKS)
async def test_every_page_can_be_read_by_everybody(
    chromium: Browser, kabar: Kabar, size: ViewportSize, scheme: Literal["light", "dark"]
) -> None:
    """No serious fault, nothing cut off on any screen, and a picture."""
    of = stored_notification(type="promotion", recipients=3)
    rows = [
        stored_delivery("failed", notification=of, to=f"62812000000{n}", attempts=[past_attempt()]) for n in (45, 46)
    ]
    # No dispatcher knows its lane, and the day it waits since has to be told.
    yesterday = of["created_at"] - timedelta(days=1)
    rows.append(stored_delivery(notification=of | {"created_at": yesterday}, to="6281200000047", lane="nobody"))
    kabar.database["notifications"].insert_one(of)
    kabar.database["deliveries"].insert_many(rows)
    page = await opened(chromium, kabar, viewport=size, color_scheme=scheme)
    await sign_in(page, kabar)
    for path in (*PAGES, f"/deliveries/{rows[0]['_id']}", f"/broadcasts/{of['_id']}"):
        await page.goto(f"{HOME}{path}")
        found = await Axe().run(page)
        serious = [one for one in found.response["violations"] if one["impact"] in {"serious", "critical"}]
        assert not serious, (path, [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious])
        for width in PHONES if size is NARROW else (size["width"],):
            await page.set_viewport_size(ViewportSize(width=width, height=size["height"]))
            assert not await page.evaluate(CUT_OFF), (path, width)
        await picture(page, re.sub(r"(dlv|ntf)_.*", "one", path), size["width"], scheme)
    await page.context.close()
    kabar.database["deliveries"].delete_many({"notification_id": of["_id"]})
    kabar.database["notifications"].delete_one({"_id": of["_id"]})


async def picture(page: Page, path: str, width: int, scheme: str) -> None:
    name = re.sub(r"\W+", "-", path).strip("-") or "overview"
    await page.screenshot(path=PICTURES / f"{name}-{width}-{scheme}.png", full_page=True)


async def test_nothing_moves_once_it_is_painted(page: Page, kabar: Kabar) -> None:
    """Layout shifts, as browsers score them, while the page is live."""
    await page.add_init_script(
        "window.shifted = 0; new PerformanceObserver((list) => list.getEntries().forEach((one) => "
        "{ window.shifted += one.value })).observe({type: 'layout-shift', buffered: true})"
    )
    await page.reload()
    await expect(page.locator("#live")).to_have_text("Live")
    await kabar.accept(to=["6281200000044"], message=f"halo {uuid4()}")
    await expect(page.locator("[sse-swap=sends]")).to_contain_text("in the last hour")
    assert await page.evaluate("window.shifted") < 0.02
