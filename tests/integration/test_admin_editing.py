"""Broadcasts, jobs, templates, routes, groups and the audit log on the admin page."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.support.api import Api
from tests.support.pages import HOME, audited, browser, text_of
from tests.support.stored_deliveries import stored_delivery, stored_notification, stored_sender

Document = dict[str, Any]
SITI = "6281200000001"


async def test_a_broadcast_shows_how_far_it_is_and_is_called_off_by_who_may_send_it(pages: Api) -> None:
    of = stored_notification(type="promotion", recipients=3)
    pages.rows["notifications"].insert_many([of, stored_notification()])
    pages.rows["deliveries"].insert_many(
        [stored_delivery(status, notification=of, to=f"628120000000{number}")
         for number, status in enumerate(("sent", "queued", "queued"))]
    )  # fmt: skip
    address = f"{HOME}/broadcasts/{of['_id']}"
    async with browser(pages, "manager") as visitor:
        listed = text_of(await visitor.get(f"{HOME}/broadcasts"))
        assert "1 of 3 sent, 2 wait" in listed
        assert "Custom" not in listed, "went to one"
        assert "Call it off" in text_of(await visitor.get(address))
        assert "about 2 of 3" in text_of(await visitor.get(f"{address}/cancel"))
        assert "Called off: 2 that waited." in await visitor.act(f"{address}/cancel")
    assert ("a manager", "notification.cancel", "done") in audited(pages)
    async with browser(pages, "cs") as visitor:
        assert "Call it off" not in text_of(await visitor.get(address))


async def test_who_did_something_is_not_told_by_their_number(pages: Api) -> None:
    of = stored_notification(recipients=2, created_by=SITI)
    pages.rows["notifications"].insert_one(of)
    changed = {"priority": "high", "revision": 1, "changed_by": SITI, "changed_at": datetime.now(UTC)}
    pages.rows["routes"].insert_one({"_id": "incident_report", **changed})
    async with browser(pages, "technician") as visitor:
        for place in (f"broadcasts/{of['_id']}", "routes", "routes/incident_report"):
            shown = await visitor.get(f"{HOME}/{place}")
            assert shown.status_code == 200
            assert "6281******001" in shown.text
            assert SITI not in shown.text
    pages.rows["routes"].delete_many({})


async def test_older_broadcasts_follow_page_by_page(pages: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    rows = [stored_notification(recipients=2, created_at=now - timedelta(minutes=number)) for number in range(12)]
    pages.rows["notifications"].insert_many(rows)
    async with browser(pages, "cs") as visitor:
        first = await visitor.get(f"{HOME}/broadcasts")
        older = re.search(r'href="([^"]*cursor=[^"]*)"', first.text)
        assert older is not None
        second = await visitor.get(older[1])
    assert [text.count("<article") for text in (first.text, second.text)] == [10, 2]


async def test_a_job_is_run_for_a_day_once_however_often_the_button_is_pressed(pages: Api) -> None:
    job = {"_id": "dunning", "schedule": "0 8 * * *", "timezone": "Asia/Jakarta", "oldest_seconds": 60.0,
           "longest_seconds": 60.0, "next_run": datetime.now(UTC) - timedelta(hours=1)}  # fmt: skip
    pages.rows["jobs"].insert_one(job)
    async with browser(pages, "noc") as visitor:
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
    runs = list(pages.rows["job_runs"].find({"job": "dunning"}))
    assert [(run["day"], run["dry_run"], run["requested_by"]) for run in runs] == [("2025-11-15", True, "a noc")]
    pages.rows["jobs"].delete_many({})


async def test_a_text_is_tried_and_published_and_a_mistake_is_told_beside_what_was_typed(pages: Api) -> None:
    async with browser(pages, "admin") as visitor:
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
    stored = pages.rows["templates"].find_one({"_id": "welcome:2"})
    assert stored is not None
    assert stored["whatsapp"] == "Halo {{ customer.name }}\nselamat datang."
    assert ("a admin", "template.publish", "done") in audited(pages)


async def test_who_may_not_publish_may_look_and_try(pages: Api) -> None:
    async with browser(pages, "cs") as visitor:
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


async def test_a_route_is_changed_where_it_was_changed_and_put_back(pages: Api) -> None:
    address = f"{HOME}/routes/promotion"
    async with browser(pages, "admin") as visitor:
        form = filled((await visitor.get(address)).text)
        assert "Nothing changed." in await visitor.act(address, **form)
        changed = {**form, "priority": "high", "begins": "08:00", "ends": "20:00", "provider_0": "wablas"}
        assert "It goes like this from now on." in await visitor.act(address, **changed)
        stored = pages.rows["routes"].find_one({"_id": "promotion"})
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
    assert ("a admin", "route.change", "refused") in audited(pages)


async def test_groups_are_kept_and_tried(pages: Api) -> None:
    async with browser(pages, "admin") as visitor:
        await visitor.get(f"{HOME}/groups")
        wrong = await visitor.submit(f"{HOME}/groups/add", name="Tim", purpose="team", id_fonnte=SITI)
        assert wrong.status_code == 422
        assert "a person" in text_of(wrong)
        group_id = "120363000000000001@g.us"
        said = await visitor.act(f"{HOME}/groups/add", name="Tim", purpose="team", id_fonnte=group_id)
        assert "Added Tim." in said
        stored = pages.rows["groups"].find_one({"name": "Tim"})
        assert stored is not None
        own = f"{HOME}/groups/{stored['_id']}"
        assert "Tim gets no more messages." in await visitor.act(f"{own}/deactivate")
        assert "Tim gets messages from now on." in await visitor.act(f"{own}/activate")
        purpose = {f"purpose-{stored['_id']}": "management"}
        assert "Tim is for management." in await visitor.act(f"{own}/purpose", **purpose)
        assert "The test message is in the queue." in await visitor.act(f"{own}/test", key=visitor.key)
        assert (await visitor.submit(f"{HOME}/groups/sync")).status_code == 409, "nobody is there to be asked"
        assert "The group is not known any more." in await visitor.act(f"{own}/remove")
    acts = [action for _, action, outcome in audited(pages) if action.startswith("group.") and outcome == "done"]
    assert acts == ["group.add", "group.change", "group.change", "group.change", "group.test", "group.remove"]


async def test_the_audit_log_tells_who_did_what_and_is_searched(pages: Api) -> None:
    pages.rows["senders"].insert_one(stored_sender("fonnte-1"))
    async with browser(pages, "admin") as visitor:
        await visitor.act(f"{HOME}/senders/fonnte-1/pause")
        shown = text_of(await visitor.get(f"{HOME}/audit?action=sender.pause"))
        assert "a admin admin sender.pause fonnte-1 done" in shown
        assert "before status available" in shown
        assert "session.begin" not in shown
        begun = text_of(await visitor.get(f"{HOME}/audit?action=session.begin"))
        assert re.search(r"after until \d{1,2} \w{3} \d{4}, \d\d:\d\d:\d\d WIB", begun)
        assert "No entry fits this." in text_of(await visitor.get(f"{HOME}/audit?actor=nobody"))
        assert (await visitor.get(f"{HOME}/audit?since=yesterday")).status_code == 422
