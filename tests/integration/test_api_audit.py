"""Every change by a person is in the audit log, and only administrators read it."""

from typing import Any

import pytest

from tests.support.api import Api, assert_error
from tests.support.stored_deliveries import stored_delivery, stored_sender

Document = dict[str, Any]
CUSTOM = {"type": "custom", "to": "6281200000001", "message": "hai"}


@pytest.fixture(autouse=True)
def nothing_stored(api: Api) -> None:
    for collection in ("notifications", "deliveries", "senders", "audit_log"):
        api.rows[collection].delete_many({})


async def log(api: Api, **filters: Any) -> list[Document]:
    async with api.client() as client:
        response = await client.get("/api/audit-log", params=filters)
    assert response.status_code == 200, response.text
    items: list[Document] = response.json()["items"]
    return items


async def act(api: Api, path: str, body: object = None, *, status: int = 200, role: str = "admin") -> Document:
    async with api.client(role, sub="sari") as client:
        response = await client.post(path, json=body)
    assert response.status_code == status, response.text
    answer: Document = response.json()
    return answer


async def only(api: Api) -> Document:
    (entry,) = await log(api)
    return entry


@pytest.mark.parametrize(("act_name", "before", "after"), [("pause", "available", "paused"),
                                                          ("resume", "available", "available"),
                                                          ("reset-limits", "available", "available")])  # fmt: skip
async def test_what_is_done_to_a_sender_is_noted(api: Api, act_name: str, before: str, after: str) -> None:
    api.rows["senders"].insert_one(stored_sender("fonnte-1"))
    await act(api, f"/api/senders/fonnte-1/{act_name}", role="noc")
    entry = await only(api)
    assert (entry["actor"], entry["role"], entry["action"]) == ("sari", "noc", f"sender.{act_name}")
    assert (entry["targets"], entry["outcome"], entry["address"]) == (["fonnte-1"], "done", "127.0.0.1")
    assert (entry["before"]["status"], entry["after"]["status"]) == (before, after)


@pytest.mark.parametrize(
    ("path", "action", "after"),
    [
        ("clear", "queue.clear", {"cleared": 1}),
        ("force-process", "queue.force-process", {"processed": 0}),
    ],
)
async def test_what_is_done_to_the_queue_is_noted(api: Api, path: str, action: str, after: Document) -> None:
    api.rows["deliveries"].insert_one(stored_delivery("queued"))
    await act(api, f"/admin/whatsapp-queue/{path}")
    entry = await only(api)
    assert (entry["action"], entry["targets"], entry["after"]) == (action, ["whatsapp"], after)


async def test_a_test_message_is_noted(api: Api) -> None:
    sent = await act(api, "/admin/whatsapp-queue/send-test", status=202)
    entry = await only(api)
    assert (entry["action"], entry["targets"]) == ("queue.send-test", [sent["notification_id"]])


@pytest.mark.parametrize(
    ("name", "status", "after"), [("cancel", "queued", "cancelled"), ("retry", "failed", "queued")]
)
async def test_what_is_done_to_a_delivery_is_noted(api: Api, name: str, status: str, after: str) -> None:
    delivery = stored_delivery(status)
    api.rows["deliveries"].insert_one(delivery)
    await act(api, f"/api/deliveries/{delivery['_id']}/{name}")
    entry = await only(api)
    assert (entry["action"], entry["targets"], entry["after"]) == (
        f"delivery.{name}", [delivery["_id"]], {"status": after},
    )  # fmt: skip


@pytest.mark.parametrize(("name", "word"), [("retry", "retried"), ("discard", "discarded")])
async def test_what_is_done_to_many_dead_deliveries_is_one_entry_found_by_each(api: Api, name: str, word: str) -> None:
    dead = [stored_delivery("failed", to=f"628120000000{number}0") for number in range(3)]
    api.rows["deliveries"].insert_many(dead)
    ids = [one["_id"] for one in dead]
    await act(api, f"/api/dead-deliveries/{name}", {"ids": ids})
    entry = await only(api)
    assert (entry["action"], entry["targets"], entry["after"]) == (
        f"dead-delivery.{name}", ids, {"asked": 3, word: 3},
    )  # fmt: skip
    assert await log(api, target=ids[2]) == [entry]


async def test_a_cancelled_notification_is_noted(api: Api) -> None:
    accepted = await act(api, "/api/notifications", CUSTOM, status=202)
    assert await log(api) == []
    await act(api, f"/api/notifications/{accepted['notification_id']}/cancel")
    entry = await only(api)
    assert (entry["action"], entry["targets"]) == ("notification.cancel", [accepted["notification_id"]])


async def test_a_direct_send_that_is_refused_is_noted_with_its_code(api: Api) -> None:
    await act(api, "/api/notifications", {**CUSTOM, "direct": True}, status=409)
    entry = await only(api)
    assert (entry["action"], entry["outcome"]) == ("notification.send-directly", "refused")
    assert entry["after"] == {"code": "NO_SENDER"}
    assert "6281200000001" not in str(api.rows["audit_log"].find_one())


async def test_a_replayed_request_is_noted_once(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender("fonnte-1"))
    async with api.client() as client:
        for _ in range(2):
            await client.post("/api/senders/fonnte-1/pause", headers={"Idempotency-Key": "replayed-and-noted"})
    assert (await only(api))["action"] == "sender.pause"


async def test_entries_are_found_by_actor_action_target_and_time_page_by_page(api: Api) -> None:
    api.rows["senders"].insert_many([stored_sender("fonnte-1"), stored_sender("wablas-1")])
    for sender in ("fonnte-1", "wablas-1"):
        for act_name in ("pause", "resume"):
            await act(api, f"/api/senders/{sender}/{act_name}")
    everything = await log(api)
    assert [entry["targets"][0] for entry in everything] == ["wablas-1", "wablas-1", "fonnte-1", "fonnte-1"]
    assert await log(api, target="fonnte-1", action="sender.pause", actor="sari") == everything[3:]
    assert await log(api, actor="budi") == []
    since = everything[1]["at"]
    assert await log(api, since=since) == everything[:2]
    assert await log(api, until=since) == everything[2:]
    async with api.client() as client:
        first = (await client.get("/api/audit-log", params={"limit": 3})).json()
        second = (await client.get("/api/audit-log", params={"limit": 3, "cursor": first["next_cursor"]})).json()
    assert first["items"] + second["items"] == everything
    assert second["next_cursor"] is None


async def test_a_span_that_ends_before_it_begins_is_refused(api: Api) -> None:
    async with api.client() as client:
        query = {"since": "2025-11-16", "until": "2025-11-15"}
        said = assert_error(await client.get("/api/audit-log", params=query), 422, "VALIDATION_ERROR", field="until")
    assert said["error"] == "until: must be after since; swap the two, or leave one out"


@pytest.mark.parametrize("cursor", ["x", "ZGx2Xw==", "é", "//79"])
async def test_a_cursor_that_was_never_given_out_is_refused(api: Api, cursor: str) -> None:
    async with api.client() as client:
        assert_error(await client.get("/api/audit-log", params={"cursor": cursor}), 422, "VALIDATION_ERROR")
