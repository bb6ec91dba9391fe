"""What operators look at and do with `kabar`, against a real api-gateway."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.api import Api
from tests.support.command_line import ran
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification, stored_sender

TIMELINE_CAUSE = "put there by a test"
OPEN = {"state": "open", "reason": "device disconnected", "opened_at": None, "retry_at": None}


@pytest.fixture(autouse=True)
def empty(api: Api) -> Iterator[None]:
    """Nothing waits, nobody sends."""
    yield
    for name in ("deliveries", "senders", "notifications", "suppressions", "alerts"):
        api.rows[name].delete_many({})


def used(api: Api, sender: str, count: int) -> None:
    """So many messages within the last minute."""
    now = datetime.now(UTC)
    grants = [now - timedelta(seconds=n) for n in range(count)]
    api.rows["senders"].update_one({"_id": sender}, {"$set": {"gate.grants": grants}})


def senders(api: Api, *rows: dict[str, Any]) -> None:
    api.rows["senders"].insert_many(rows)


def test_a_healthy_kabar_is_shown_and_ends_with_0(api: Api) -> None:
    senders(api, stored_sender("fonnte-1", quota_remaining=880), stored_sender("wablas-1"))
    told = ran(api, "monitor", role="noc")
    assert (told.code, told.err) == (0, "")
    assert "fonnte-1  available" in told.out
    assert "880" in told.out
    assert "0/10" in told.out
    assert "Nothing waits" in told.out
    assert told.out.endswith("Nothing is wrong.\n")


def test_what_is_wrong_is_named_and_ends_with_1(api: Api) -> None:
    senders(api, stored_sender("fonnte-1", circuit=OPEN), stored_sender("wablas-1", quota_remaining=0))
    told = ran(api, "monitor")
    assert told.code == 1
    assert "wrong: fonnte-1 is out: " in told.out
    assert "wrong: wablas-1 has no quota left" in told.out


def test_only_what_is_named_is_judged(api: Api) -> None:
    senders(api, stored_sender("wablas-1", quota_remaining=0))
    assert ran(api, "monitor", "--check-rate-limits").code == 0
    told = ran(api, "monitor", "--json")
    found = json.loads(told.out)
    assert (told.code, found["ok"], [one["key"] for one in found["wrong"]]) == (1, False, ["quota:wablas-1"])
    assert found["senders"]["items"][0]["quota"]["remaining"] == 0
    assert found["queue"]["queue_length"] == 0


def test_what_waits_while_nobody_can_send_is_wrong(api: Api) -> None:
    senders(api, stored_sender("fonnte-1", paused=True, paused_by="sari"))
    api.rows["deliveries"].insert_many([stored_delivery(to=f"62812000000{n:02}") for n in range(3)])
    told = ran(api, "monitor")
    assert told.code == 1
    assert "wrong: no sender of WhatsApp can send; 3 deliveries wait" in told.out


def test_what_kabar_raised_an_alert_of_is_wrong(api: Api) -> None:
    senders(api, stored_sender("fonnte-1"))
    raised = {
        "_id": "alr_1", "cause": "job:dunning", "kind": "job", "about": "dunning", "status": "active", "told": {},
        "summary": "dunning has not run since yesterday", "raised_at": datetime.now(UTC), "cleared_at": None,
    }  # fmt: skip
    api.rows["alerts"].insert_one(raised)
    told = ran(api, "monitor", role="noc")
    assert (told.code, told.out.splitlines()[-1]) == (1, "wrong: dunning has not run since yesterday")
    assert ran(api, "monitor", "--check-rate-limits").code == 0


def test_an_alert_goes_to_administrators_only_once_it_is_agreed_to_and_once_an_hour(api: Api) -> None:
    api.rows["staff"].insert_one({"_id": "S-1", "name": "Ani", "role": "admin", "phone": "6281200000098"})
    senders(api, stored_sender("fonnte-1"), stored_sender("wablas-1", circuit=OPEN))
    told = ran(api, "monitor", "--send-alert", typed="n\n")
    assert (told.code, api.rows["notifications"].count_documents({})) == (1, 0)
    assert "Pengirim wablas-1 tidak dapat mengirim: " in told.err
    told = ran(api, "monitor", "--send-alert", "--yes", role="noc")
    (sent,) = api.rows["notifications"].find()
    assert (told.code, sent["type"]) == (1, "system_alert")
    assert sent["_id"] in told.err
    api.rows["senders"].update_one({"_id": "wablas-1"}, {"$set": {"circuit.reason": "token invalid"}})
    told = ran(api, "monitor", "--send-alert", "--yes", role="noc")
    assert told.err == "Administrators were told of this within the hour.\n"
    assert api.rows["notifications"].count_documents({}) == 1
    assert ran(api, "monitor", "--send-alert", "--watch").code == 2


def test_while_e_mail_alone_is_left_and_is_off_it_is_said_that_nobody_can_be_told(api: Api) -> None:
    person = {"name": "Ani", "role": "admin", "phone": "6281200000098"}
    api.rows["staff"].replace_one({"_id": "S-1"}, person, upsert=True)
    senders(api, stored_sender("fonnte-1", paused=True, paused_by="sari"), stored_sender("email-1"))
    told = ran(api, "monitor", "--send-alert", "--yes")
    assert (told.code, api.rows["notifications"].count_documents({})) == (1, 0)
    assert "Nobody can be told: only e-mail is left, and e-mail is switched off" in told.err


def test_a_sender_is_paused_and_all_are_resumed(api: Api) -> None:
    senders(api, stored_sender("fonnte-1"), stored_sender("wablas-1"))
    told = ran(api, "queue", "pause", "--sender", "fonnte-1", role="noc")
    assert told.code == 0
    assert "kabar queue resume" in told.out
    assert [one.get("paused") for one in api.rows["senders"].find().sort("_id")] == [True, None]
    told = ran(api, "queue", "pause", "--sender", "fonnte-9")
    assert (told.code, told.err) == (1, "error: --sender: there is no fonnte-9; there are fonnte-1, wablas-1\n")
    told = ran(api, "queue", "resume", "--json")
    assert {one["status"] for one in json.loads(told.out)["items"]} == {"available"}


def test_somebody_is_erased_by_one_name_and_waited_for(api: Api) -> None:
    """Nobody carries it out here."""
    told = ran(api, "erase", "--phone", "0812-0000-0001", "--yes", "--wait-seconds", "1")
    assert (told.code, told.out) == (5, "")
    assert "is requested after 1 s. It goes on by itself" in told.err
    stored = api.rows["erasures"].find_one({}, sort=[("_id", -1)]) or {}
    assert (stored["by"], stored["wanted"], stored["dry_run"]) == ("phone", "6281200000001", False)
    told = ran(api, "erase", "--customer-id", "C-1", "--dry-run", "--wait-seconds", "1", "--json")
    assert (told.code, json.loads(told.out)["dry_run"]) == (5, True)
    assert told.err.endswith("It only counts: nothing is erased\n")
    told = ran(api, "erase", "--phone", "0812-0000-0002", "--wait-seconds", "1")  # counted first, as nobody agreed yet
    assert (told.code, api.rows["erasures"].count_documents({"wanted": "6281200000002", "dry_run": False})) == (5, 0)
    assert told.err.endswith("It only counts: nothing is erased\n")
    for wrong in ([], ["--phone", "0812-0000-0001", "--email", "siti@example.com"]):
        told = ran(api, "erase", "--yes", *wrong)
        assert (told.code, "name the person by one of" in told.err) == (2, True)
    assert ran(api, "erase", "--phone", "12", "--yes").code == 1
    assert ran(api, "erase", "--phone", "0812-0000-0001", "--yes", role="cs").code == 4


def test_the_queue_is_shown_by_priority_and_cleared_only_once_it_is_agreed_to(api: Api) -> None:
    senders(api, stored_sender("fonnte-1"))
    api.rows["deliveries"].insert_many(
        [stored_delivery(to=f"62812000000{n:02}", priority="high" if n else "low") for n in range(4)]
    )
    told = ran(api, "queue", "status")
    assert told.code == 0
    assert told.out.startswith("4 waiting, 0 being sent, the oldest for ")
    assert "high            3" in told.out
    assert "6281******001" in told.out
    assert json.loads(ran(api, "queue", "status", "--json").out)["by_priority"] == {
        "critical": 0, "high": 3, "normal": 0, "low": 1,
    }  # fmt: skip
    told = ran(api, "queue", "clear", typed="no\n")
    assert (told.code, "End 4 deliveries that wait?" in told.err) == (1, True)
    told = ran(api, "queue", "clear")
    assert (told.code, "--yes" in told.err) == (2, True)
    told = ran(api, "queue", "clear", typed="y\n")
    assert (told.code, told.out) == (0, "4 deliveries ended.\n")
    assert ran(api, "queue", "clear", "--yes").out == "0 deliveries ended.\n"


def dead(api: Api, count: int, **changes: Any) -> list[str]:
    rows = [
        stored_delivery("failed", to=f"628120002{n:04}", reason="wablas: token invalid", code="auth", **changes)
        for n in range(count)
    ]
    api.rows["deliveries"].insert_many(rows)
    return [row["_id"] for row in rows]


def test_dead_deliveries_are_listed_with_their_reasons(api: Api) -> None:
    assert ran(api, "dead", "list").out == "No dead delivery waits for a person.\n"
    dead(api, 60)
    told = ran(api, "dead", "list", role="supervisor")
    assert told.out.count("wablas: token invalid") == 50
    assert told.out.endswith("There are more; --limit shows more than 50.\n")
    assert ran(api, "dead", "list", "--limit", "60").out.count("failed") == 60
    found = json.loads(ran(api, "dead", "list", "--json").out)
    assert (len(found["items"]), found["next_cursor"]) == (60, None)
    assert found["items"][0].keys() >= {"id", "notification_id", "recipient", "attempts", "timeline"}


def test_dead_deliveries_are_retried_and_discarded_by_name_by_filter_and_all(api: Api) -> None:
    ids = dead(api, 3)
    api.rows["deliveries"].insert_one(
        stored_delivery("unknown", to="6281200000003", attempts=[past_attempt(provider="wablas", sender="wablas-1")])
    )
    assert ran(api, "dead", "list", "--status", "unknown", "--type", "custom", "--json").out.count('"dlv_') == 1
    assert "known are fonnte" in ran(api, "dead", "list", "--provider", "none").err
    assert ran(api, "dead", "retry").code == 2
    assert ran(api, "dead", "retry", ids[0], "--all").code == 2
    told = ran(api, "dead", "retry", ids[0], "--yes")
    assert (told.code, told.out) == (0, "1 delivery queued anew.\n")
    told = ran(api, "dead", "retry", ids[0], "--yes")
    assert told.out == "0 deliveries queued anew, 1 skipped: not dead any more, or not known.\n"
    told = ran(api, "dead", "discard", "--provider", "wablas", "--since", "2020-01-01", typed="y\n")
    assert "Take 1 dead delivery off the list?" in told.err
    assert told.out == "1 delivery off the list.\n"
    told = ran(api, "dead", "discard", "--code", "REFUSED", "--yes")
    assert (told.code, told.out) == (0, "No dead delivery fits.\n")
    told = ran(api, "dead", "discard", "--all", "--json", "--yes")
    assert json.loads(told.out) == {"success": True, "discarded": 2, "skipped": 0}
    assert ran(api, "queue", "status").out.endswith("No dead WhatsApp delivery waits for a person.\n")


def test_more_than_a_thousand_go_in_several_calls(api: Api) -> None:
    dead(api, 1_001)
    assert ran(api, "dead", "retry", "--status", "failed", "--yes").out == "1,001 deliveries queued anew.\n"


def test_a_delivery_tells_its_story(api: Api) -> None:
    document = stored_delivery("failed", reason="no provider took it", attempts=[past_attempt()])
    api.rows["deliveries"].insert_one(document)
    told = ran(api, "delivery", "show", document["_id"])
    assert told.code == 0
    for expected in ("custom to 6281******001: failed", "no provider took it", "fonnte-1", TIMELINE_CAUSE):
        assert expected in told.out
    assert "6281200000001" not in told.out
    found = json.loads(ran(api, "delivery", "show", document["_id"], "--json").out)
    assert found["timeline"][0]["cause"] == TIMELINE_CAUSE
    told = ran(api, "delivery", "show", "dlv_none")
    assert (told.code, told.err) == (1, "error: there is no delivery dlv_none\n")


def test_a_notification_is_shown_with_its_deliveries(api: Api) -> None:
    of = stored_notification(recipients=5)
    rows = [stored_delivery("failed" if n else "sent", notification=of, to=f"62812000000{n:02}") for n in range(5)]
    api.rows["notifications"].insert_one(of)
    api.rows["deliveries"].insert_many(rows)
    told = ran(api, "delivery", "show", of["_id"])
    assert "4 failed" in told.out
    assert told.out.count("6281******0") == 4


def test_it_is_found_why_somebody_got_nothing(api: Api) -> None:
    api.rows["deliveries"].insert_many(
        [
            stored_delivery("failed", to="6281200000042", reason="not on WhatsApp"),
            stored_delivery("sent", to="6281200000041"),
        ]
    )
    told = ran(api, "delivery", "find", "0812-0000-0042", role="cs")
    assert told.code == 0
    assert told.out.count("6281******042") == 1
    assert "not on WhatsApp" in told.out
    told = ran(api, "delivery", "find", "081200000043")
    assert told.out == "Nothing was ever to be sent to 0812*****043.\n"
    told = ran(api, "delivery", "find", "12")
    assert (told.code, told.err.startswith("error: recipient: not an Indonesian mobile number")) == (1, True)


async def test_a_suppression_is_told_of_first(api: Api) -> None:
    async with api.client() as client:
        body = {"recipient": "6281200000044", "reason": "opt_out", "note": "STOP"}
        assert (await client.post("/api/suppressions", json=body)).status_code in {200, 201}
    told = ran(api, "delivery", "find", "6281200000044")
    assert told.out.startswith("6281******044 is suppressed since ")
    assert "opt_out (STOP)" in told.out
    assert "suppressed" not in ran(api, "delivery", "find", "6281200000044", role="cs").out
