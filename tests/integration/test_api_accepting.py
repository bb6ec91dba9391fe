"""What is accepted is stored, announced and answered for."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import httpx
import pytest

from common.catalogue.examples import EXAMPLE_DATA
from common.contracts.vocabulary import NotificationType
from common.kernel.identity import delivery_id
from common.rendering.messages import render_message
from local_stack.servers import PrivateRabbitMQ
from tests.support.api import Api, assert_error, until
from tests.support.directory_rows import tell_examples
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification, stored_sender

NUMBER = "6281200000001"
CUSTOM = {"type": "custom", "to": NUMBER, "message": "hai"}


async def submit(api: Api, role: str = "admin", **body: Any) -> httpx.Response:
    async with api.client(role) as client:
        return await client.post("/api/notifications", json={**CUSTOM, **body})


async def test_one_custom_message_is_stored_as_the_dispatcher_expects_it(api: Api) -> None:
    response = await submit(api, to="0812-0000-0001", message="hai\r\ndunia", priority="high")
    assert response.status_code == 202
    body = response.json()
    assert response.headers["location"] == f"/api/notifications/{body['notification_id']}"
    assert body["success"] is True
    assert body["deliveries"] == 1
    assert body["rejected"] == []
    assert "totalSent" not in body
    stored = api.rows["notifications"].find_one({"_id": body["notification_id"]})
    assert stored is not None
    created = stored["created_at"]
    assert abs(datetime.now(UTC) - created) < timedelta(seconds=30)
    assert {
        "type": "custom",
        "channels": ["whatsapp"],
        "priority": "high",
        "message": "hai\ndunia",
        "data": None,
        "audience": [{"to": NUMBER}],
        "pages": 0,
        "planned_pages": 0,
        "recipients": 1,
        "providers": ["fonnte", "wablas"],
        "direct": False,
        "on_unknown": "resend",
        "unknown_wait_seconds": 60.0,
        "send_at": None,
        "expires_at": created + timedelta(hours=24),
        "validity_seconds": 86_400,
        "status": "accepted",
        "wake_at": created + timedelta(seconds=2),
        "created_by": "tester",
    }.items() <= stored.items()


async def test_an_otp_has_its_own_text_priority_and_validity(api: Api) -> None:
    body = {"type": "otp", "to": NUMBER, "data": {"code": "123456"}}
    async with api.client("cs") as client:
        response = await client.post("/api/notifications", json=body)
    assert response.status_code == 202
    stored = api.rows["notifications"].find_one({"_id": response.json()["notification_id"]})
    assert stored is not None
    assert (stored["priority"], stored["validity_seconds"], stored["unknown_wait_seconds"]) == ("critical", 300, 0)
    text, template = render_message(stored, stored["audience"][0])  # type: ignore[arg-type]
    assert "123456" in text
    assert "5 menit" in text
    assert stored["template"] == template
    assert str(template).startswith("otp:")


async def test_a_request_may_decide_for_itself(api: Api) -> None:
    response = await submit(
        api, on_unknown="hold", validity_seconds=90.5, providers=["wablas"], send_at="2030-01-01T10:00:00"
    )
    assert_error(response, 422, "VALIDATION_ERROR", field="send_at")
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    response = await submit(
        api, on_unknown="hold", validity_seconds=90.5, providers=["wablas"], send_at=soon.isoformat()
    )
    stored = api.rows["notifications"].find_one({"_id": response.json()["notification_id"]})
    assert stored is not None
    assert (stored["on_unknown"], stored["providers"], stored["send_at"]) == ("hold", ["wablas"], soon)
    assert stored["expires_at"] == soon + timedelta(seconds=90.5)


async def test_bad_numbers_of_a_list_come_back_and_good_ones_are_kept(api: Api) -> None:
    recipients = [NUMBER, "02112345678", "6281200000002", "0812 0000 0001", 7, None, "120363000000000001@g.us"]
    response = await submit(api, to=recipients)
    assert response.status_code == 202
    body = response.json()
    assert body["deliveries"] == body["totalSent"] == body["totalCustomers"] == 3
    assert [(one["index"], one["code"]) for one in body["rejected"]] == [
        (1, "INVALID_PHONE"), (3, "DUPLICATE_RECIPIENT"), (4, "INVALID_PHONE"), (5, "INVALID_PHONE")
    ]  # fmt: skip
    assert body["rejected"][0]["value"] == "0211****678"
    async with api.client() as client:
        shown = (await client.get(f"/api/notifications/{body['notification_id']}")).json()
    assert (shown["recipients"], shown["rejected"]) == (3, 4)


async def test_a_list_of_bad_numbers_is_refused_with_each_of_them(api: Api) -> None:
    body = assert_error(await submit(api, to=["1", "2"]), 422, "INVALID_PHONE")
    assert [one["index"] for one in body["rejected"]] == [0, 1]
    assert_error(await submit(api, to="+1 202 555 0100"), 422, "INVALID_PHONE")


async def test_items_override_what_they_share(api: Api) -> None:
    async with api.client() as client:
        response = await client.post(
            "/api/notifications",
            json={
                "type": "custom",
                "message": "Halo {{ name }}",
                "data": {"name": "Pelanggan"},
                "items": [
                    {"to": NUMBER},
                    {"to": NUMBER, "data": {"name": "Sari"}},
                    {"to": NUMBER, "data": {"name": "Sari"}},
                    {"to": "6281200000002", "message": "Hai {{ name }}"},
                    {"to": "6281200000003", "data": {"nama": "salah"}},
                    {"to": "6281200000004", "message": " "},
                    {"to": "satu", "data": {"name": "x"}},
                ],
            },
        )
    assert response.status_code == 202, response.text
    body = response.json()
    assert [(one["index"], one["code"]) for one in body["rejected"]] == [
        (2, "DUPLICATE_RECIPIENT"), (4, "VALIDATION_ERROR"), (5, "EMPTY_MESSAGE"), (6, "INVALID_PHONE")
    ]  # fmt: skip
    stored = api.rows["notifications"].find_one({"_id": body["notification_id"]})
    assert stored is not None
    texts = [render_message(stored, member)[0] for member in stored["audience"]]  # type: ignore[arg-type]
    assert texts == ["Halo Pelanggan", "Halo Sari", "Hai Pelanggan"]
    ids = {delivery_id(stored["_id"], "whatsapp", m["to"], t) for m, t in zip(stored["audience"], texts, strict=True)}
    assert len(ids) == body["deliveries"] == 3


async def test_a_large_audience_stands_in_pages_that_exist_before_it(api: Api) -> None:
    recipients = [f"6281200{number:06d}" for number in range(100_000)]
    response = await submit(api, to=recipients, force=True)
    assert response.status_code == 202
    body = response.json()
    assert body["deliveries"] == 100_000
    identity = body["notification_id"]
    stored = api.rows["notifications"].find_one({"_id": identity})
    assert stored is not None
    assert (stored["audience"], stored["pages"], stored["recipients"]) == ([], 100, 100_000)
    pages = list(api.rows["audience_pages"].find({"notification_id": identity}).sort("_id", 1))
    assert {page["_id"] for page in pages} == {f"{identity}:{number}" for number in range(100)}
    assert sum(len(page["members"]) for page in pages) == 100_000
    api.rows["notifications"].update_one({"_id": identity}, {"$set": {"status": "cancelled"}, "$unset": {"wake_at": 1}})


async def test_an_accepted_notification_is_announced_on_the_bus(api: Api, rabbitmq: PrivateRabbitMQ) -> None:
    connection = await aio_pika.connect(rabbitmq.url)
    async with connection, connection.channel() as channel:
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind("kabar.events", "notification.accepted")
        identity = (await submit(api)).json()["notification_id"]
        async with asyncio.timeout(10), queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                if identity.encode() in message.body:
                    break


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"message": "{{ nama", "data": {}}, "message"),
        ({"message": "{{ nama }}", "data": {}}, "message"),
        ({"message": "{{ a }}", "data": {"a": None}}, "message"),
        ({"message": "{% for x in a %}{% for y in a %}{% endfor %}{% endfor %}", "data": {"a": [1] * 100}}, "message"),
        ({"message": "{{ a }}" * 3, "data": {"a": "x" * 2_000}}, "message"),
        ({"message": "x" * 60_000}, "message"),
        ({"message": "x" * 4_097}, "message"),
        ({"message": "a\x07b"}, "message"),
        ({"message": None}, "message"),
    ],
)
async def test_a_text_that_cannot_be_sent_is_refused(api: Api, body: dict[str, Any], field: str) -> None:
    assert_error(await submit(api, **body), 422, "VALIDATION_ERROR", field=field)


@pytest.mark.parametrize("message", ["", "  \n", "\u200b"])
async def test_an_empty_message_is_refused(api: Api, message: str) -> None:
    assert_error(await submit(api, message=message), 422, "EMPTY_MESSAGE", field="message")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"to": [NUMBER, "6281200000002"]}, "to"),
        ({"to": "120363000000000001@g.us"}, "to"),
        ({"to": NUMBER, "message": "x"}, "message"),
        ({"to": NUMBER, "data": {"code": "123456", "link": "x"}}, "data.link"),
        ({"to": NUMBER, "data": None}, "data"),
        ({"items": [{"to": NUMBER}]}, "items"),
    ],
)
async def test_an_otp_is_refused_when_it_is_none(api: Api, body: dict[str, object], field: str) -> None:
    async with api.client() as client:
        response = await client.post("/api/notifications", json={"type": "otp", "data": {"code": "123456"}, **body})
    assert_error(response, 422, "VALIDATION_ERROR", field=field)


async def test_a_broadcast_beyond_its_validity_is_refused_unless_forced(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender())

    async def estimated() -> bool:
        return (await submit(api)).json()["estimated_finish"] is not None

    await until(estimated, "no estimate although there is a sender")
    recipients = [f"62812000{number:05d}" for number in range(2_000)]
    body = assert_error(await submit(api, to=recipients), 422, "BEYOND_VALIDITY")
    assert "force" in body["error"]
    assert body["estimated_finish"] > body["expires_at"]
    response = await submit(api, to=recipients, force=True)
    assert response.status_code == 202
    assert response.json()["estimated_finish"] is not None
    tell_examples(api.rows)
    reminder = {"type": "payment_reminder", "data": EXAMPLE_DATA[NotificationType.PAYMENT_REMINDER]}
    async with api.client() as client:
        one_person = await client.post("/api/notifications", json=reminder)
    assert one_person.status_code == 202, "one person is no broadcast, by however many channels"
    assert one_person.json()["deliveries"] == 2
    api.rows["senders"].delete_many({})
    api.rows["notifications"].delete_one({"_id": response.json()["notification_id"]})


async def direct(api: Api, outcome: dict[str, Any] | None) -> httpx.Response:
    """A direct send whose delivery a stand-in for the dispatcher ends like this."""
    if api.rows["senders"].find_one() is None:
        api.rows["senders"].insert_one(stored_sender())
    async with api.client() as client:
        sending = asyncio.ensure_future(client.post("/api/notifications", json={**CUSTOM, "direct": True}))
        query = {"direct": True, "status": "accepted"}

        async def accepted() -> bool:
            return api.rows["notifications"].find_one(query) is not None

        await until(accepted, "not accepted")
        found = api.rows["notifications"].find_one(query)
        assert found is not None
        notification = stored_notification(**found)
        if outcome is not None:
            api.rows["deliveries"].insert_one(stored_delivery(notification=notification, **outcome))
        api.rows["notifications"].update_one({"_id": found["_id"]}, {"$set": {"status": "planned"}})
        return await sending


async def test_a_direct_send_answers_with_what_the_provider_said(api: Api) -> None:
    attempt = past_attempt(outcome="succeeded", code=None, error=None, provider_message_id="80367170")
    response = await direct(api, {"status": "sent", "attempts": [attempt], "attempts_made": 1})
    assert response.status_code == 200
    body = response.json()
    assert body["success"] is True
    assert body["delivery"]["status"] == "sent"
    assert body["delivery"]["attempts"][0]["provider_message_id"] == "80367170"


async def test_a_direct_send_the_provider_refused_is_no_success(api: Api) -> None:
    response = await direct(api, {"status": "failed", "attempts": [past_attempt()], "reason": "invalid number"})
    assert response.status_code == 200
    body = response.json()
    assert (body["success"], body["error"], body["code"]) == (False, "invalid number", "RETRY_FAILED")
    assert NUMBER not in response.text


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        (None, "there is none"),
        ({"paused": True, "paused_by": "sari"}, "paused by sari"),
        ({"gateway_seen_at": datetime(2025, 1, 1, tzinfo=UTC)}, "silent"),
        ({"name": "other-1"}, "there is none"),
        ({"circuit": {"state": "open", "reason": "token refused", "opened_at": None, "retry_at": None}},
         "token refused"),
    ],
)  # fmt: skip
async def test_a_direct_send_nobody_can_take_is_refused_at_once_and_not_stored(
    api: Api, sender: dict[str, Any] | None, why: str
) -> None:
    api.rows["senders"].delete_many({})
    if sender is not None:
        api.rows["senders"].insert_one(stored_sender(**sender))  # here, because it is alive from now on
    message = f"direct {why}"
    async with asyncio.timeout(5):
        body = assert_error(await submit(api, direct=True, message=message), 409, "NO_SENDER")
    assert why in body["error"]
    assert api.rows["notifications"].find_one({"message": message}) is None
    api.rows["senders"].delete_many({})


async def test_a_direct_send_nobody_answers_ends_within_half_a_minute(api: Api) -> None:
    started = time.monotonic()
    response = await direct(api, None)
    assert response.status_code == 202
    assert time.monotonic() - started < 30


async def test_nothing_is_estimated_before_a_full_window_is_free(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    api.rows["senders"].delete_many({})
    api.rows["senders"].insert_one(stored_sender(gate={"hour": [{"at": now, "n": 100}]}))

    async def estimated() -> bool:
        told = (await submit(api)).json()["estimated_finish"]
        return told is not None and datetime.fromisoformat(told) >= now + timedelta(hours=1)

    await until(estimated, "an estimate before the next free slot")
    warned = (await submit(api, validity_seconds=60)).json()
    assert "validity ends" in warned["warning"]
    assert "warning" not in (await submit(api)).json()
    api.rows["senders"].delete_many({})


async def test_a_direct_send_beyond_a_limit_names_it(api: Api) -> None:
    api.rows["senders"].delete_many({})
    now = datetime.now(UTC)
    gate = {"minute": [{"at": now, "n": 10}]}
    api.rows["senders"].insert_one(stored_sender(gate=gate))
    response = await direct(
        api, {"status": "cancelled", "code": "MINUTE_LIMIT_EXCEEDED", "reason": "10 in a minute are sent"}
    )
    body = assert_error(response, 429, "MINUTE_LIMIT_EXCEEDED")
    assert (body["limit"], body["current"]) == (10, 10)
    assert datetime.fromisoformat(body["reset_at"]) > now
    assert int(response.headers["retry-after"]) >= 1
    api.rows["senders"].delete_many({})


async def test_a_direct_send_goes_to_one_recipient_now_and_is_for_admins(api: Api) -> None:
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    two = await submit(api, to=[NUMBER, "6281200000002"], direct=True)
    assert_error(two, 422, "VALIDATION_ERROR", field="direct")
    assert_error(await submit(api, direct=True, send_at=later), 422, "VALIDATION_ERROR", field="send_at")
    assert_error(await submit(api, "manager", direct=True), 403, "FORBIDDEN")
