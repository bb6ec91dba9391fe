"""Senders, the queue at a glance, the conservation of what was accepted, and what operations read."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from common.kernel.identity import new_id
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error, ready, running_api, until, wait_until
from tests.support.directory_rows import tell_examples
from tests.support.servers import new_database
from tests.support.stored_deliveries import stored_delivery, stored_notification, stored_sender

Document = dict[str, Any]


@pytest.fixture(autouse=True)
def nothing_stored(api: Api) -> None:
    for collection in ("notifications", "deliveries", "senders"):
        api.rows[collection].delete_many({})


async def get(api: Api, path: str) -> Document:
    async with api.client("noc") as client:
        response = await client.get(path)
    assert response.status_code == 200, response.text
    found: Document = response.json()
    return found


async def post(api: Api, path: str, body: object = None) -> Any:
    async with api.client("noc") as client:
        return await client.post(path, json=body)


def circuit(state: str) -> Document:
    now = datetime.now(UTC)
    return {"state": state, "reason": "token of 6281200000001 refused", "opened_at": now,
            "retry_at": now + timedelta(seconds=30), "openings": 1, "failures_in_row": 0, "recent": [],
            "revision": 7}  # fmt: skip


async def test_a_sender_tells_why_it_takes_part_or_not(api: Api) -> None:
    silent = datetime.now(UTC) - timedelta(minutes=1)
    api.rows["senders"].insert_many(
        [
            stored_sender("fonnte-1", quota_remaining=5),
            stored_sender("fonnte-2", paused=True, paused_by="sari"),
            stored_sender("fonnte-3", circuit=circuit("open")),
            stored_sender("fonnte-4", gateway_seen_at=silent),
            stored_sender("fonnte-5", circuit=circuit("half_open")),
        ]
    )
    items = (await get(api, "/api/senders"))["items"]
    assert [(one["id"], one["status"]) for one in items] == [
        ("fonnte-1", "available"), ("fonnte-2", "paused"), ("fonnte-3", "out"), ("fonnte-4", "out"), ("fonnte-5", "out")
    ]  # fmt: skip
    assert items[0]["why"] is None
    assert items[0]["quota"]["remaining"] == 5
    assert items[0]["usage"] == {
        name: {"limit": limit, "used": 0, "reset_at": None}
        for name, limit in (("minute", 10), ("hour", 100), ("day", 500))
    }
    assert "sari" in items[1]["why"]
    assert "refused" in items[2]["why"]
    assert "6281200000001" not in items[2]["why"]
    assert items[3]["gateway_alive"] is False


async def test_a_sender_is_paused_and_resumed_with_its_circuit_closed(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender(circuit=circuit("open")))
    assert (await post(api, "/api/senders/fonnte-1/pause")).json()["status"] == "paused"
    found = api.rows["senders"].find_one({"_id": "fonnte-1"})
    assert found is not None
    assert (found["paused"], found["paused_by"]) == (True, "tester")
    resumed = (await post(api, "/api/senders/fonnte-1/resume")).json()
    assert (resumed["status"], resumed["circuit"]["state"]) == ("available", "closed")
    found = api.rows["senders"].find_one({"_id": "fonnte-1"})
    assert found is not None
    assert found["circuit"]["revision"] == 8
    assert "paused" not in found


async def test_limits_are_reset_and_the_pacing_is_not(api: Api) -> None:
    now = datetime.now(UTC)
    gate = {"minute": [{"at": now, "n": 10}], "hour": [{"at": now, "n": 10}], "next_at": now + timedelta(seconds=9)}
    api.rows["senders"].insert_one(stored_sender(gate=gate))
    before = await get(api, "/api/senders/fonnte-1")
    assert before["usage"]["minute"]["used"] == 10
    assert before["usage"]["minute"]["reset_at"] is not None
    after = (await post(api, "/api/senders/fonnte-1/reset-limits")).json()
    assert {window["used"] for window in after["usage"].values()} == {0}
    found = api.rows["senders"].find_one({"_id": "fonnte-1"})
    assert found is not None
    assert "next_at" in found["gate"]
    assert_error(await post(api, "/api/senders/none/reset-limits"), 404, "NOT_FOUND")


async def test_the_queue_is_shown_in_the_order_it_is_sent(api: Api) -> None:
    now = datetime.now(UTC)
    for number, priority in enumerate(("low", "normal", "critical", "high")):
        delivery = stored_delivery(priority=priority, to=f"628120000000{number}", queued_at=now - timedelta(minutes=5))
        api.rows["deliveries"].insert_one(delivery)
    mail = stored_notification(channels=["email"])
    for number, status in enumerate(("queued", "queued", "sending", "failed")):
        lane = {"lane": "email", "queued_at": now - timedelta(hours=1)} if status == "queued" else {}
        api.rows["deliveries"].insert_one(
            stored_delivery(status, notification=mail, to=f"budi{number}@example.com", **lane)
        )
    waiting = stored_delivery(to="6281200000009", retries=1)
    del waiting["lane"]
    api.rows["deliveries"].insert_many([waiting, stored_delivery("failed"), stored_delivery("sending")])
    dealt_with = [stored_delivery("failed", discarded_at=now), stored_delivery("failed", contents_removed_at=now)]
    api.rows["deliveries"].insert_many([*dealt_with, stored_delivery("unknown", to="6281200000011")])
    shown = await get(api, "/admin/whatsapp-queue/status")
    assert (shown["queue_length"], shown["failed_messages"], shown["sending"]) == (5, 2, 1)
    assert shown["is_processing"] is True
    assert shown["estimated_time"] is None
    assert shown["by_priority"] == {"critical": 1, "high": 1, "normal": 1, "low": 1}
    assert shown["waiting_for_retry"] == 1
    assert 290 <= shown["oldest_seconds"] <= 400
    assert [one["priority"] for one in shown["next_messages"]] == ["critical", "high", "normal", "low"]
    assert all("*" in one["recipient"] for one in shown["next_messages"])
    api.rows["senders"].insert_one(stored_sender())

    async def estimated() -> bool:
        return bool((await get(api, "/admin/whatsapp-queue/status"))["estimated_time"] == 30)

    await until(estimated, "four messages at ten seconds take half a minute")


async def test_clearing_cancels_what_is_queued_and_nothing_else(api: Api) -> None:
    notification = stored_notification()
    queued = [stored_delivery(notification=notification, to=f"62812000{number:05d}") for number in range(2_500)]
    others = [stored_delivery(status) for status in ("sending", "scheduled", "sent")]
    mail = stored_delivery(notification=stored_notification(channels=["email"]), to="budi@example.com")
    api.rows["deliveries"].insert_many([*queued, *others, mail])
    assert (await post(api, "/admin/whatsapp-queue/clear")).json() == {"success": True, "cleared": 2_500}
    assert api.rows["deliveries"].count_documents({"status": "cancelled", "lane": {"$exists": False}}) == 2_500
    assert (await post(api, "/admin/whatsapp-queue/clear")).json()["cleared"] == 0


async def test_what_waits_for_a_retry_lines_up_now_and_nothing_else(api: Api) -> None:
    later = datetime.now(UTC) + timedelta(minutes=5)
    retrying = stored_delivery(retries=2, wake_at=later)
    capped = stored_delivery(retries=0, wake_at=later)
    lined_up = stored_delivery(retries=1)
    del retrying["lane"], capped["lane"]
    api.rows["deliveries"].insert_many([retrying, capped, lined_up])
    answer = await post(api, "/admin/whatsapp-queue/force-process")
    assert answer.json() == {"success": True, "processed": 1}
    found = {one["_id"]: one for one in api.rows["deliveries"].find()}
    assert found[retrying["_id"]]["wake_at"] <= datetime.now(UTC)
    assert found[capped["_id"]]["wake_at"] > datetime.now(UTC)
    assert found[lined_up["_id"]]["wake_at"] == lined_up["wake_at"].replace(tzinfo=UTC)


async def test_a_test_message_goes_the_normal_road(api: Api) -> None:
    response = await post(api, "/admin/whatsapp-queue/send-test")
    assert response.status_code == 202
    stored = api.rows["notifications"].find_one({"_id": response.json()["notification_id"]})
    assert stored is not None
    assert stored["audience"] == [{"to": "6281200000099"}]
    assert stored["message"]
    chosen = await post(api, "/admin/whatsapp-queue/send-test", {"to": "081200000005", "message": "uji"})
    stored = api.rows["notifications"].find_one({"_id": chosen.json()["notification_id"]})
    assert stored is not None
    assert (stored["audience"], stored["message"]) == ([{"to": "6281200000005"}], "uji")
    assert_error(await post(api, "/admin/whatsapp-queue/send-test", {"to": "x"}), 422, "INVALID_PHONE")


async def test_everything_accepted_is_accounted_for(api: Api) -> None:
    planned = stored_notification(recipients=2)
    accepted = stored_notification(_id=new_id("ntf"), recipients=5, status="accepted", wake_at=datetime.now(UTC))
    cancelled = stored_notification(_id=new_id("ntf"), recipients=7, status="cancelled")
    api.rows["notifications"].insert_many([planned, accepted, cancelled])
    placed = [("sent", planned, 1), ("queued", planned, 2), ("queued", accepted, 1), ("cancelled", cancelled, 1)]
    for status, notification, number in placed:
        delivery = stored_delivery(status, notification=notification, to=f"628120000000{number}")
        api.rows["deliveries"].insert_one(delivery)
    assert await get(api, "/admin/conservation") == {
        "accepted": 14,
        "deliveries": {"sent": 1, "queued": 2, "cancelled": 1},
        "not_yet_planned": 4,
        "cancelled_before_planning": 6,
        "difference": 0,
    }
    api.rows["deliveries"].delete_one({"status": "sent"})
    assert (await get(api, "/admin/conservation"))["difference"] == 1


async def test_acceptance_and_requests_are_measured(api: Api) -> None:
    async with api.client() as client:
        body = {"type": "custom", "to": ["6281200000001", "x"], "message": "hai"}
        await client.post("/api/notifications", json=body)
        await client.get("/api/notifications/ntf_1")
        await client.get("/nope")
        text = (await client.get("/metrics")).text
    assert 'notification_accepted_total{type="custom"}' in text
    assert "recipient_accepted_total" in text
    assert 'recipient_rejected_total{code="INVALID_PHONE"}' in text
    assert 'http_request_total{method="POST",route="/api/notifications",status="202"}' in text
    assert 'http_request_total{method="GET",route="/api/notifications/{notification_id}",status="404"}' in text
    assert 'http_request_duration_seconds_count{route="/api/notifications"}' in text
    assert 'route="other"' in text
    assert "ntf_1" not in text


async def test_the_description_of_the_api_has_examples_that_are_accepted(api: Api) -> None:
    tell_examples(api.rows)
    described = await get(api, "/openapi.json")
    assert described["info"]["title"] == "Kabar"
    submit = described["paths"]["/api/notifications"]["post"]
    examples = submit["requestBody"]["content"]["application/json"]["examples"]
    async with api.client() as client:
        for example in examples.values():
            response = await client.post("/api/notifications", json=example["value"])
            assert response.status_code == 202, response.text
    reference = submit["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    assert "to" in described["components"]["schemas"][reference]["properties"]
    assert described["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"


@pytest.mark.parametrize("secret", ["", "too short"])
def test_it_does_not_start_without_a_secret(secret: str, tmp_path: Path) -> None:
    environment = {**os.environ, "KABAR_JWT_SECRET": secret, "WHATSAPP_QUEUE_DELAY": "slow"}
    ended = subprocess.run(
        [sys.executable, "-m", "api_gateway"], env=environment, cwd=tmp_path, capture_output=True, timeout=30,
        check=False, text=True,
    )  # fmt: skip
    assert ended.returncode == 78
    assert "KABAR_JWT_SECRET" in ended.stderr
    assert "WHATSAPP_QUEUE_DELAY" in ended.stderr
    assert "too short" not in ended.stderr


async def test_its_log_names_no_people(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Path) -> None:
    log = tmp_path / "log"
    url = new_database(mongodb)
    with running_api(rabbitmq.url, url, log) as started:
        wait_until(lambda: ready(started), "not ready")
        async with started.client() as client:
            for number in ("6281200000001", "not a number 6281200000001"):
                await client.post("/api/notifications", json={"type": "custom", "to": number, "message": "rahasia"})
    text = log.read_text()
    assert "notification.accepted" in text
    assert "6281200000001" not in text
    assert "rahasia" not in text
    assert all(line.startswith("{") for line in text.splitlines()), text
