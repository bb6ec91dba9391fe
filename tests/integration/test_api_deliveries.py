"""Looking at deliveries and notifications, and acting on them."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_gateway.adapters.delivery_queries import selected
from api_gateway.adapters.mongo_notifications import progress
from api_gateway.application.ports import Selection
from common.contracts.vocabulary import DeliveryStatus
from tests.support.api import Api, assert_error
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification, stored_sender

Document = dict[str, Any]
ENDS = [status for status in DeliveryStatus if status not in {"queued", "scheduled", "sending"}]


@pytest.fixture(autouse=True)
def nothing_stored(api: Api) -> None:
    for collection in ("notifications", "deliveries", "senders"):
        api.rows[collection].delete_many({})


def put(api: Api, status: str = "queued", **changes: Any) -> Document:
    delivery = stored_delivery(status, **changes)
    api.rows["deliveries"].insert_one(delivery)
    return delivery


def kept(api: Api, delivery: Document) -> Document:
    found = api.rows["deliveries"].find_one({"_id": delivery["_id"]})
    assert found is not None
    return found


async def listed(api: Api, **query: Any) -> list[str]:
    async with api.client("technician") as client:
        response = await client.get("/api/deliveries", params=query)
    assert response.status_code == 200, response.text
    return [one["id"] for one in response.json()["items"]]


async def act(api: Api, path: str, body: object = None) -> Any:
    async with api.client("noc") as client:
        return await client.post(path, json=body)


async def test_a_delivery_is_shown_with_exact_names_and_without_its_number(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    current = {"number": 2, "claim": "c", "provider": "wablas", "sender": "wablas-1", "state": "started",
               "requested_at": now, "deadline": now, "started_at": now}  # fmt: skip
    delivery = put(api, "sending", attempts=[past_attempt()], attempt=current, attempts_made=2, failover=True)
    async with api.client("cs") as client:
        response = await client.get(f"/api/deliveries/{delivery['_id']}")
    body = response.json()
    names = {"id", "notification_id", "type", "channel", "recipient", "status", "priority", "failover",
             "possible_duplicate", "reason", "attempts", "timeline", "created_at", "sent_at"}  # fmt: skip
    assert names <= set(body)
    assert body["recipient"] == "6281******001"
    assert "6281200000001" not in response.text
    assert "message" not in body
    first, last = body["attempts"]
    assert set(first) == set(last) == {"number", "provider", "sender", "outcome", "error", "code", "started_at",
                                       "finished_at", "provider_message_id"}  # fmt: skip
    assert (first["outcome"], last["outcome"], last["finished_at"]) == ("failed", "started", None)
    assert set(body["timeline"][0]) == {"at", "status", "cause"}
    assert body["created_at"].endswith("Z")


async def waiting_for(api: Api, delivery: Document) -> str | None:
    async with api.client("cs") as client:
        told: str | None = (await client.get(f"/api/deliveries/{delivery['_id']}")).json()["waiting_for"]
    return told


async def test_what_a_delivery_waits_for_is_said(api: Api) -> None:
    at = datetime(2030, 1, 1, tzinfo=UTC)
    attempt = {
        "number": 1,
        "claim": "c",
        "provider": "wablas",
        "sender": "wablas-1",
        "requested_at": at,
        "deadline": at,
    }
    scheduled = put(api, "scheduled", wake_at=at)
    backing_off = put(api, "queued", wake_at=at, to="6281200000002")
    api.rows["deliveries"].update_one({"_id": backing_off["_id"]}, {"$unset": {"lane": 1}})
    requested = put(api, "sending", wake_at=at, attempt={**attempt, "state": "requested"})
    started = put(api, "sending", wake_at=at, attempt={**attempt, "state": "started"})
    unproven = put(api, "sending", wake_at=at)
    assert await waiting_for(api, scheduled) == "its time, 2030-01-01T00:00:00Z"
    quiet = put(api, "scheduled", wake_at=at, hours={"begins": "07:00", "ends": "21:00"})
    assert await waiting_for(api, quiet) == "quiet hours until 07:00, 2030-01-01T00:00:00Z"
    assert await waiting_for(api, backing_off) == "another try at 2030-01-01T00:00:00Z"
    assert await waiting_for(api, requested) == "wablas-1: the gateway to take it, until 2030-01-01T00:00:00Z"
    assert await waiting_for(api, started) == "wablas-1: the provider's answer, until 2030-01-01T00:00:00Z"
    assert await waiting_for(api, unproven) == "proof of what became of it, until 2030-01-01T00:00:00Z"
    assert await waiting_for(api, put(api, "sent")) is None


async def test_what_keeps_each_sender_from_a_queued_delivery_is_said(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    delivery = put(api)
    assert await waiting_for(api, delivery) == "a sender: none of its providers has one"
    full = {"hour": [{"at": now, "n": 100}]}
    api.rows["senders"].insert_many(
        [stored_sender(gate=full), stored_sender("wablas-1", paused=True, paused_by="sari"), stored_sender("wablas-2")]
    )
    free = f"{now + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    assert await waiting_for(api, delivery) == (
        f"fonnte-1: hour limit reached, free at {free}; wablas-1: paused by sari; wablas-2: its turn"
    )


async def test_pages_go_from_new_to_old_and_miss_nothing(api: Api) -> None:
    notification = stored_notification()
    deliveries = [stored_delivery(notification=notification, to=f"62812000{number:05d}") for number in range(25)]
    api.rows["deliveries"].insert_many(deliveries)
    seen: list[str] = []
    cursor = None
    async with api.client() as client:
        while True:
            query = {"limit": 10} | ({"cursor": cursor} if cursor else {})
            page = (await client.get("/api/deliveries", params=query)).json()
            seen += [one["id"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert seen == sorted((one["_id"] for one in deliveries), reverse=True)


async def test_every_filter_finds_what_it_names_and_nothing_else(api: Api) -> None:
    early = put(api, "failed", to="6281200000001", attempts=[past_attempt()])
    await asyncio.sleep(0.002)  # identities are told apart by the millisecond
    between = datetime.now(UTC)
    late = put(api, "queued", to="6281200000002", notification=stored_notification(type="otp"))
    both = [late["_id"], early["_id"]]
    assert await listed(api) == both
    assert await listed(api, notification_id=early["notification_id"]) == [early["_id"]]
    assert await listed(api, notification_id="ntf_none") == []
    assert await listed(api, notification_id="x") == []
    assert await listed(api, status="failed") == [early["_id"]]
    assert await listed(api, type="otp") == [late["_id"]]
    assert await listed(api, recipient="0812-0000-0002") == [late["_id"]]
    assert await listed(api, recipient="+6281200000002") == [late["_id"]]
    assert await listed(api, provider="fonnte") == [early["_id"]]
    assert await listed(api, provider="wablas") == []
    assert await listed(api, since=between.isoformat()) == [late["_id"]]
    assert await listed(api, until=between.isoformat()) == [early["_id"]]
    assert await listed(api, since="0001-01-02", until="9999-01-01") == both
    assert await listed(api, q="081200000002") == [late["_id"]]
    assert await listed(api, q=early["_id"]) == [early["_id"]]
    assert await listed(api, q=late["notification_id"]) == [late["_id"]]
    assert await listed(api, status="failed", recipient="6281200000002") == []


def stages(plan: Any) -> set[str]:
    found = {plan["stage"]} if isinstance(plan, dict) and "stage" in plan else set()
    for part in plan.values() if isinstance(plan, dict) else plan if isinstance(plan, list) else ():
        found |= stages(part)
    return found


@pytest.mark.parametrize(
    "selection",
    [
        Selection(),
        Selection(before="dlv_1"),
        Selection(statuses=[DeliveryStatus.FAILED]),
        Selection(statuses=[DeliveryStatus.FAILED, DeliveryStatus.UNKNOWN], dead=True),
        Selection(notification_id="ntf_1"),
        Selection(notification_id="ntf_1", statuses=[DeliveryStatus.SENT]),
        Selection(recipient="6281200000001"),
        Selection(type="otp"),
        Selection(provider="fonnte"),
        Selection(since=datetime(2025, 1, 1, tzinfo=UTC), until=datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_page_is_read_from_an_index_in_its_order(api: Api, selection: Selection) -> None:
    put(api)
    plan = api.rows["deliveries"].find(selected(selection)).sort("_id", -1).limit(50).explain()
    found = stages(plan["queryPlanner"]["winningPlan"])
    assert "IXSCAN" in found or "IDHACK" in found
    assert not found & {"COLLSCAN", "SORT"}


def test_progress_is_counted_from_its_index_alone(api: Api) -> None:
    put(api)
    plan = api.rows.command("explain", {"aggregate": "deliveries", "pipeline": progress("ntf_1"), "cursor": {}})
    found = stages(plan)
    assert "IXSCAN" in found
    assert not found & {"COLLSCAN", "FETCH"}


@pytest.mark.parametrize("status", ["queued", "scheduled"])
async def test_what_waits_can_be_cancelled_once(api: Api, status: str) -> None:
    delivery = put(api, status)
    response = await act(api, f"/api/deliveries/{delivery['_id']}/cancel")
    assert response.status_code == 200
    assert response.json()["status"] == "cancelled"
    found = kept(api, delivery)
    assert "lane" not in found
    assert "wake_at" not in found
    assert found["revision"] == 1
    assert found["timeline"][-1]["cause"] == "cancelled by tester"


@pytest.mark.parametrize("status", ["sending", *ENDS])
async def test_what_is_under_way_or_over_cannot_be_cancelled(api: Api, status: str) -> None:
    delivery = put(api, status)
    body = assert_error(await act(api, f"/api/deliveries/{delivery['_id']}/cancel"), 409, "CONFLICT")
    assert body["status"] == status
    assert kept(api, delivery) == delivery


@pytest.mark.parametrize("status", ["failed", "unknown", "expired", "cancelled"])
async def test_what_ended_without_success_is_queued_again(api: Api, status: str) -> None:
    dead = {"dead_at": datetime.now(UTC)} if status in {"failed", "unknown"} else {}
    delivery = put(api, status, attempts=[past_attempt()], attempts_made=1, retries=3, code="x", reason="y", **dead)
    response = await act(api, f"/api/deliveries/{delivery['_id']}/retry")
    assert response.status_code == 200
    found = kept(api, delivery)
    assert (found["status"], found["lane"], found["retries"], found["round_from"]) == ("queued", "fonnte,wablas", 0, 1)
    assert found["possible_duplicate"] is (status == "unknown")
    assert (found["code"], found["reason"]) == (None, None)
    assert found["wake_at"] == found["expires_at"] == found["queued_at"] + timedelta(days=1)
    assert found["timeline"][-1]["cause"] == "retried by tester"
    assert "retried_at" in found
    assert "dead_at" not in found
    assert found["rank"] == delivery["rank"]


@pytest.mark.parametrize("status", ["scheduled", "queued", "sending", "sent", "delivered", "read", "suppressed"])
async def test_what_has_not_failed_cannot_be_retried(api: Api, status: str) -> None:
    delivery = put(api, status)
    assert_error(await act(api, f"/api/deliveries/{delivery['_id']}/retry"), 409, "CONFLICT")
    assert kept(api, delivery) == delivery


async def test_what_no_provider_can_carry_cannot_be_retried(api: Api) -> None:
    delivery = put(api, "failed", route=[])
    assert_error(await act(api, f"/api/deliveries/{delivery['_id']}/retry"), 409, "CONFLICT")
    among_others = await act(api, "/api/dead-deliveries/retry", {"ids": [delivery["_id"]]})
    assert among_others.json() == {"success": True, "retried": 0, "skipped": 1}
    assert kept(api, delivery) == delivery


async def test_dead_deliveries_wait_for_a_person(api: Api) -> None:
    failed, unknown, other = put(api, "failed"), put(api, "unknown"), put(api, "sent")
    async with api.client("noc") as client:
        page = (await client.get("/api/dead-deliveries")).json()
    assert [one["id"] for one in page["items"]] == [unknown["_id"], failed["_id"]]
    ids = [failed["_id"], other["_id"], failed["_id"], "dlv_none"]
    discarded = await act(api, "/api/dead-deliveries/discard", {"ids": ids})
    assert discarded.json() == {"success": True, "discarded": 1, "skipped": 2}
    assert kept(api, failed)["status"] == "failed"
    retried = await act(api, "/api/dead-deliveries/retry", {"ids": [unknown["_id"], other["_id"]]})
    assert retried.json() == {"success": True, "retried": 1, "skipped": 1}
    assert kept(api, unknown)["possible_duplicate"] is True
    async with api.client("noc") as client:
        assert (await client.get("/api/dead-deliveries")).json() == {"items": [], "next_cursor": None}


async def test_dead_deliveries_are_asked_for_by_what_they_have_in_common(api: Api) -> None:
    one = put(api, "failed", code="auth", attempts=[past_attempt(provider="wablas", sender="wablas-1")])
    other = put(api, "unknown", type="otp", code="transport")
    filters = {
        "status": "failed", "type": "custom", "code": "auth", "provider": "wablas",
        "notification_id": one["notification_id"],
    }  # fmt: skip
    today = datetime.now(UTC)
    async with api.client("noc") as client:

        async def found(**asked: str) -> list[str]:
            return [row["id"] for row in (await client.get("/api/dead-deliveries", params=asked)).json()["items"]]

        for name, value in filters.items():
            assert await found(**{name: value}) == [one["_id"]], name
        assert await found(**filters, since=(today - timedelta(days=1)).isoformat()) == [one["_id"]]
        assert await found(until=(today - timedelta(days=1)).isoformat()) == []
        assert await found(status="unknown") == await found(code="transport") == [other["_id"]]
        for wrong in ({"status": "sent"}, {"type": "none"}, {"provider": "none"}, {"since": "x"}):
            (field,) = wrong
            answer = await client.get("/api/dead-deliveries", params=wrong)
            assert_error(answer, 422, "VALIDATION_ERROR", field=field)


async def test_cancelling_a_notification_leaves_what_is_under_way(api: Api) -> None:
    notification = stored_notification(status="accepted", recipients=4, wake_at=datetime.now(UTC))
    api.rows["notifications"].insert_one(notification)
    statuses = ("queued", "scheduled", "sending", "sent")
    _, _, sending, _ = [
        put(api, status, notification=notification, to=f"628120000000{number}")
        for number, status in enumerate(statuses)
    ]
    for cancelled in (2, 0):
        response = await _cancel(api, notification["_id"])
        body = response.json()
        assert response.status_code == 200
        assert (body["cancelled"], body["status"]) == (cancelled, "cancelled")
        assert body["progress"] == {"cancelled": 2, "sending": 1, "sent": 1}
    stored = api.rows["notifications"].find_one({"_id": notification["_id"]})
    assert stored is not None
    assert stored["status"] == "cancelled"
    assert timedelta(0) < stored["wake_at"] - datetime.now(UTC) < timedelta(seconds=5)
    assert kept(api, sending)["called_off"] == "its notification was cancelled"


async def test_what_is_not_planned_yet_is_shown_as_cancelled(api: Api) -> None:
    notification = stored_notification(status="accepted", recipients=5, wake_at=datetime.now(UTC))
    api.rows["notifications"].insert_one(notification)
    put(api, "sent", notification=notification)
    body = (await _cancel(api, notification["_id"])).json()
    assert (body["status"], body["planned"], body["progress"]) == ("cancelled", 1, {"sent": 1, "cancelled": 4})
    async with api.client() as client:
        shown = (await client.get(f"/api/notifications/{notification['_id']}")).json()
    assert shown["progress"] == {"sent": 1, "cancelled": 4}


@pytest.mark.parametrize("status", ENDS)
async def test_a_notification_that_is_over_stays_what_it_is(api: Api, status: str) -> None:
    notification = stored_notification()
    api.rows["notifications"].insert_one(notification)
    delivery = put(api, status, notification=notification)
    body = (await _cancel(api, notification["_id"])).json()
    assert (body["status"], body["cancelled"], body["progress"]) == ("planned", 0, {status: 1})
    assert kept(api, delivery) == delivery
    stored = api.rows["notifications"].find_one({"_id": notification["_id"]})
    assert stored is not None
    assert (stored["status"], "wake_at" in stored) == ("planned", False)


async def test_what_comes_back_to_wait_while_it_is_cancelled_is_ended_too(api: Api) -> None:
    notification = stored_notification(recipients=3_000)
    api.rows["notifications"].insert_one(notification)
    deliveries = [stored_delivery(notification=notification, to=f"62812000{number:05d}") for number in range(3_000)]
    api.rows["deliveries"].insert_many(deliveries)
    moving = deliveries[0]["_id"]
    cancelling = asyncio.ensure_future(_cancel(api, notification["_id"]))
    while not cancelling.done():
        # Set out and come back, as a delivery does whose gateway never started it.
        before = {"_id": moving, "called_off": {"$exists": False}}
        api.rows["deliveries"].update_one({**before, "status": "queued"}, {"$set": {"status": "sending"}})
        await asyncio.sleep(0)
        api.rows["deliveries"].update_one({**before, "status": "sending"}, {"$set": {"status": "queued"}})
        await asyncio.sleep(0)
    assert (await cancelling).status_code == 200
    left = list(api.rows["deliveries"].find({"status": {"$ne": "cancelled"}}))
    assert all(one["status"] == "sending" and one["called_off"] for one in left)


@pytest.mark.parametrize("status", ["queued", "scheduled"])
async def test_cancelling_never_hides_that_something_may_have_arrived(api: Api, status: str) -> None:
    notification = stored_notification()
    api.rows["notifications"].insert_one(notification)
    attempts = [past_attempt(outcome="unknown", code=None), past_attempt(2)]
    delivery = put(api, status, notification=notification, attempts=attempts, attempts_made=2)
    body = (await _cancel(api, notification["_id"])).json()
    assert (body["cancelled"], body["progress"]) == (1, {"unknown": 1})
    _assert_unknown(kept(api, delivery))
    alone = put(api, status, attempts=attempts, attempts_made=2)
    async with api.client("noc", sub="$sari") as client:
        answer = await client.post(f"/api/deliveries/{alone['_id']}/cancel")
    assert (answer.status_code, answer.json()["status"], answer.json()["code"]) == (200, "unknown", "UNKNOWN")
    _assert_unknown(kept(api, alone))
    assert kept(api, alone)["timeline"][-1]["cause"] == "cancelled by $sari"


async def test_clearing_the_queue_never_hides_that_something_may_have_arrived(api: Api) -> None:
    delivery = put(api, attempts=[past_attempt(outcome="unknown", code=None)], attempts_made=1)
    assert (await act(api, "/admin/whatsapp-queue/clear")).json()["cleared"] == 1
    _assert_unknown(kept(api, delivery))


def _assert_unknown(found: Document) -> None:
    assert (found["status"], found["code"]) == ("unknown", "UNKNOWN")
    assert "never told" in found["reason"]
    assert (found["timeline"][-1]["status"], found["revision"]) == ("unknown", 1)
    assert not {"lane", "wake_at"} & set(found)


async def test_a_direct_send_that_is_retried_queues_like_everybody_else(api: Api) -> None:
    delivery = put(api, "failed", direct=True, rank=0)
    assert (await act(api, f"/api/deliveries/{delivery['_id']}/retry")).status_code == 200
    found = kept(api, delivery)
    assert (found["direct"], found["rank"]) == (False, 2)


async def _cancel(api: Api, identity: str) -> Any:
    async with api.client("manager") as client:
        return await client.post(f"/api/notifications/{identity}/cancel")


async def test_a_notification_tells_its_progress(api: Api) -> None:
    notification = stored_notification(recipients=3, rejected=2)
    api.rows["notifications"].insert_one(notification)
    put(api, "sent", notification=notification)
    put(api, "queued", notification=notification, to="6281200000002")
    async with api.client("technician") as client:
        body = (await client.get(f"/api/notifications/{notification['_id']}")).json()
    assert (body["recipients"], body["planned"], body["rejected"]) == (3, 2, 2)
    assert body["progress"] == {"sent": 1, "queued": 1}
    assert "message" not in body
