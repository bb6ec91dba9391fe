"""The same key is done once, whatever happens on the way."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.api import Api, assert_error
from tests.support.stored_deliveries import stored_delivery

CUSTOM = {"type": "custom", "to": "6281200000001", "message": "hai"}


async def submit(
    api: Api, key: str, *, sub: str = "tester", content: bytes | None = None, **body: Any
) -> httpx.Response:
    async with api.client(sub=sub) as client:
        headers = {"Idempotency-Key": key}
        if content is not None:
            return await client.post("/api/notifications", content=content, headers=headers)
        return await client.post("/api/notifications", json={**CUSTOM, **body}, headers=headers)


def stored(api: Api, message: str) -> int:
    return api.rows["notifications"].count_documents({"message": message})


def reservation(api: Api, identity: str) -> dict[str, Any]:
    found = api.rows["idempotency_keys"].find_one({"resource_id": identity})
    assert found is not None
    return found


def forget_answer(api: Api, identity: str, *, age: float, state: str = "running") -> None:
    """As if the process had died before it answered."""
    api.rows["idempotency_keys"].update_one(
        {"resource_id": identity},
        {
            "$set": {"state": state, "reserved_at": datetime.now(UTC) - timedelta(seconds=age), "token": "dead"},
            "$unset": {"status": "", "body": "", "location": ""},
        },
    )


async def test_the_first_answer_is_given_again(api: Api) -> None:
    key, message = uuid4().hex, uuid4().hex
    recipients = ["6281200000001", "x", "6281200000002"]
    first = await submit(api, key, message=message, to=recipients)
    again = await submit(api, key, message=message, to=recipients)
    assert (again.status_code, again.content) == (first.status_code, first.content) == (202, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert stored(api, message) == 1


async def test_the_layout_of_the_json_does_not_matter(api: Api) -> None:
    key = uuid4().hex
    first = await submit(api, key, content=b'{"type":"custom","to":"6281200000001","message":"hai"}')
    again = await submit(api, key, content=b'{"message": "hai",\n "to": "6281200000001", "type": "custom"}')
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == first.json()


async def test_a_moment_that_has_passed_since_does_not_change_the_answer(api: Api) -> None:
    key = uuid4().hex
    soon = (datetime.now(UTC) - timedelta(seconds=50)).isoformat()
    first = await submit(api, key, send_at=soon)
    api.rows["idempotency_keys"].update_one(
        {"resource_id": first.json()["notification_id"]}, {"$set": {"reserved_at": datetime.now(UTC) - timedelta(1)}}
    )
    assert (await submit(api, key, send_at=soon)).content == first.content


async def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    key = uuid4().hex
    await submit(api, key)
    assert_error(await submit(api, key, message="anders"), 422, "IDEMPOTENCY_CONFLICT", field="Idempotency-Key")
    async with api.client() as client:
        other = await client.post("/admin/whatsapp-queue/send-test", headers={"Idempotency-Key": key})
    assert_error(other, 422, "IDEMPOTENCY_CONFLICT")


async def test_callers_do_not_share_keys(api: Api) -> None:
    key = uuid4().hex
    first, other = await submit(api, key), await submit(api, key, sub="somebody else")
    assert first.json()["notification_id"] != other.json()["notification_id"]


async def test_of_ten_at_once_one_is_accepted(api: Api) -> None:
    key, message = uuid4().hex, uuid4().hex
    answers = await asyncio.gather(*(submit(api, key, message=message) for _ in range(10)))
    accepted = {answer.json()["notification_id"] for answer in answers if answer.status_code == 202}
    assert len(accepted) == 1
    for answer in answers:
        if answer.status_code != 202:
            assert_error(answer, 409, "IDEMPOTENCY_CONFLICT")
    assert stored(api, message) == 1
    assert (await submit(api, key, message=message)).json()["notification_id"] in accepted


async def test_a_refused_request_leaves_its_key_free(api: Api) -> None:
    key = uuid4().hex
    assert_error(await submit(api, key, to="x"), 422, "INVALID_PHONE")
    assert (await submit(api, key)).status_code == 202


async def test_while_the_first_is_running_the_second_is_told_so(api: Api) -> None:
    key = uuid4().hex
    identity = (await submit(api, key)).json()["notification_id"]
    forget_answer(api, identity, age=5)
    assert_error(await submit(api, key), 409, "IDEMPOTENCY_CONFLICT")


async def test_what_a_crash_left_before_storing_is_done_under_the_same_identity(api: Api) -> None:
    key, message = uuid4().hex, uuid4().hex
    identity = (await submit(api, key, message=message)).json()["notification_id"]
    forget_answer(api, identity, age=11)
    api.rows["notifications"].delete_one({"_id": identity})
    answer = await submit(api, key, message=message)
    assert answer.status_code == 202
    assert answer.json()["notification_id"] == identity
    assert stored(api, message) == 1
    assert (await submit(api, key, message=message)).content == answer.content


async def test_what_a_crash_left_after_storing_is_answered_and_not_done_again(api: Api) -> None:
    key, message = uuid4().hex, uuid4().hex
    soon = (datetime.now(UTC) - timedelta(seconds=50)).isoformat()
    first = await submit(api, key, message=message, send_at=soon)
    identity = first.json()["notification_id"]
    forget_answer(api, identity, age=11)
    api.rows["notifications"].update_one({"_id": identity}, {"$set": {"status": "planned"}, "$unset": {"wake_at": ""}})
    answers = await asyncio.gather(*(submit(api, key, message=message, send_at=soon) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert {answer.content for answer in answers if answer.status_code == 202} == {first.content}
    assert stored(api, message) == 1
    document = api.rows["notifications"].find_one({"_id": identity})
    assert document is not None
    assert document["status"] == "planned"


async def test_what_was_given_up_is_taken_over_at_once(api: Api) -> None:
    key = uuid4().hex
    first = await submit(api, key)
    identity = first.json()["notification_id"]
    forget_answer(api, identity, age=1, state="abandoned")
    assert (await submit(api, key)).json()["notification_id"] == identity


async def test_every_other_post_is_done_once_too(api: Api) -> None:
    delivery = stored_delivery()
    api.rows["deliveries"].insert_one(delivery)
    headers = {"Idempotency-Key": uuid4().hex}
    async with api.client() as client:
        first = await client.post(f"/api/deliveries/{delivery['_id']}/cancel", headers=headers)
        again = await client.post(f"/api/deliveries/{delivery['_id']}/cancel", headers=headers)
        without = await client.post(f"/api/deliveries/{delivery['_id']}/retry")
    assert (first.status_code, first.content) == (again.status_code, again.content) == (200, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert without.status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/suppressions", {"recipient": "6281200000001"}),
        ("/api/whatsapp-groups", {"name": "Tim", "group_ids": {"fonnte": "120363000000000009@g.us"}}),
        ("/api/webhook-endpoints", {"url": "https://portal.example/kabar", "events": ["delivery.*"]}),
    ],
)
async def test_a_removal_whose_answer_was_lost_is_answered_as_it_was(api: Api, path: str, body: dict[str, Any]) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    async with api.client() as client:
        made = (await client.post(path, json=body)).json()
        address = f"{path}/{body.get('recipient') or made['id']}"
        api.rows["idempotency_keys"].delete_many({})
        first = await client.delete(address, headers=headers)
        replayed = await client.delete(address, headers=headers)
        (kept,) = api.rows["idempotency_keys"].find()
        forget_answer(api, kept["resource_id"], age=11)
        again = await client.delete(address, headers=headers)
        assert_error(await client.delete(address), 404, "NOT_FOUND")
    assert (first.status_code, first.json()["success"]) == (200, True), first.text
    assert replayed.content == again.content == first.content
    assert (replayed.status_code, again.status_code) == (200, 200)


async def test_a_large_answer_is_kept_whole(api: Api) -> None:
    key = uuid4().hex
    recipients = ["6281200000001", *("x" for _ in range(99_999))]
    first = await submit(api, key, to=recipients)
    assert first.status_code == 202
    assert len(first.json()["rejected"]) == 99_999
    assert (await submit(api, key, to=recipients)).content == first.content
