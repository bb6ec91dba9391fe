"""Whatever somebody types, tampers with or pastes, a page answers it: nothing of it is a defect, or becomes markup."""

import re
from typing import Any
from urllib.parse import quote

import pytest

from tests.support.api import Api
from tests.support.pages import HOME, PAGES, Page, browser
from tests.support.stored_deliveries import stored_delivery, stored_notification, stored_sender

MARKUP = "\"'><script>alert(1)</script>"
ODD = ["\0", "\udcff", "../..", "x" * 3_000, "\N{PILE OF POO}", MARKUP, "$where", "-1", "9" * 400, "nan", "inf",
       "1e400", "0001-01-01", "9999-12-31", "2025-02-30", "dlv_\0", "ntf_" + "f" * 300, "a@" + "\u0130" * 70 + ".id",
       "62812\r\nSet-Cookie: a=b", "٣٣٣٣٣٣٣٣٣٣"]  # fmt: skip
NAMES = ("q", "status", "type", "channel", "provider", "code", "since", "until", "notification_id", "cursor", "version",
         "actor", "action", "target", "next")  # fmt: skip
ASKED = ("/deliveries", "/failures", "/why", "/broadcasts", "/groups", "/audit", "/templates/{name}")
"""They take something in their query."""
FIELDS = ("key", "to", "message", "ids", "only", "dry_run", "date", "whatsapp", "email_subject", "email_text",
          "version", "enabled", "priority", "channels", "provider_0", "provider_1", "on_unknown", "begins", "ends",
          "revision", "validity_seconds", "unknown_wait_seconds", "dedupe_seconds", "name", "purpose", "id_fonnte",
          "id_wablas", "purpose-x")  # fmt: skip


def spelled(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe="")


def fine(answer: Any, asked: str) -> None:
    assert answer.status_code < 500, (asked[:200], answer.status_code)
    assert "<script>" not in re.sub(r"<script src=", "", answer.text), asked[:200]
    assert "set-cookie: a" not in str(answer.headers).lower()


@pytest.fixture
def stored(pages: Api) -> Api:
    """With something to find, whose names are as odd."""
    of = stored_notification(type="promotion", recipients=2, created_by=MARKUP, template=MARKUP)
    pages.rows["notifications"].insert_one(of)
    pages.rows["deliveries"].insert_many(
        [stored_delivery("failed", notification=of, reason=MARKUP, code=MARKUP, template=MARKUP, sent_by=MARKUP),
         stored_delivery("queued", notification=of, to="6281200000002")]
    )  # fmt: skip
    pages.rows["senders"].insert_one(stored_sender("fonnte-1", paused=True, paused_by=MARKUP))
    pages.rows["groups"].insert_one(
        {"_id": "grp_x", "name": MARKUP, "purpose": "team", "group_ids": {"fonnte": "120363000000000001@g.us"},
         "known_as": ["120363000000000001@g.us"], "active": True}
    )  # fmt: skip
    return pages


@pytest.mark.parametrize(
    "page", [one for one in PAGES if not one.path.endswith("/sign-out")], ids=lambda page: page.key
)
async def test_a_page_answers_whatever_it_is_asked(stored: Api, page: Page) -> None:
    known = page.address(broadcast="x")
    places = [known]
    if "{" in page.path:
        places += [re.sub(r"{[^}]*}", lambda _, odd=odd: spelled(odd), page.path) for odd in ODD]  # type: ignore[misc]
    async with browser(stored, "admin") as visitor:
        for place in places:
            if page.method == "POST":
                fine(await visitor.submit(place), place)
            else:
                fine(await visitor.http.get(place), place)
        for odd in ODD if page.method == "GET" and page.path.endswith(ASKED) else ():
            for name in NAMES:
                asked = f"{known}?{name}={spelled(odd)}"
                fine(await visitor.http.get(asked), asked)
        for odd in ODD if page.method == "POST" else ():
            text = odd.encode("utf-8", "replace").decode()
            fine(await visitor.submit(known, **dict.fromkeys(FIELDS, text)), f"{known} with {text!r}")


async def test_a_form_that_is_no_form_is_refused(stored: Api) -> None:
    async with browser(stored, "admin") as visitor:
        for body in (b"\xff\xfe", b"form_token=%", b"&" * 2_000, b"a=1&" * 600, b'{"form_token": 1}'):
            answer = await visitor.http.post(f"{HOME}/queue/send-test", content=body)
            assert answer.status_code in {403, 422}, body[:20]


async def test_what_is_stored_is_never_markup(stored: Api) -> None:
    async with browser(stored, "admin") as visitor:
        for place in ("", "/failures", "/deliveries", "/why?q=6281200000001", "/broadcasts", "/groups", "/audit"):
            fine(await visitor.http.get(f"{HOME}{place}"), place)
        for row in stored.rows["deliveries"].find():
            fine(await visitor.http.get(f"{HOME}/deliveries/{row['_id']}"), row["_id"])
