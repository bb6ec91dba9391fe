"""What nobody could handle is shown without numbers, and handed in again once."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from common.contracts.facts import SurveyAnswered
from common.topology.declarations import EVENTS, FACTS, REPLAY_HEADER, TRACE_HEADER
from tests.support.api import Api, assert_error
from tests.support.bus import emptied, raw_channel

BODY = '{"event_id":"evt_1","ticket_id":"T-1","rating":9,"comment":"hubungi 081200000001"}'


@pytest.fixture(autouse=True)
def nothing_stored(api: Api) -> None:
    for collection in ("parked_envelopes", "audit_log"):
        api.rows[collection].delete_many({})


def parked(api: Api, identity: str = "evt_1", **changes: Any) -> str:
    body = str(changes.get("body", BODY))
    document = {
        "_id": f"{FACTS.name}:{identity}",
        "queue": FACTS.name,
        "reason": "not valid: rating: less than or equal to 5 from 6281200000001",
        "exchange": EVENTS.name,
        "routing_key": SurveyAnswered.routing_key,
        "body": body,
        "body_bytes": len(body.encode()),
        "parked_at": datetime.now(UTC).replace(microsecond=0),
        **changes,
    }
    api.rows["parked_envelopes"].insert_one(document)
    return str(document["_id"])


async def ask(api: Api, path: str, role: str = "noc", **query: Any) -> Any:
    async with api.client(role) as client:
        return await client.get(f"/api/parked-envelopes{path}", params=query)


async def act(api: Api, identity: str, what: str, body: object = None) -> Any:
    async with api.client("noc") as client:
        return await client.post(f"/api/parked-envelopes/{quote(identity, safe='')}/{what}", json=body)


async def test_one_is_shown_with_its_reason_and_body_and_without_numbers(api: Api) -> None:
    identity = parked(api, "a/b c")
    shown = await ask(api, f"/{quote(identity, safe='')}")
    assert shown.status_code == 200, shown.text
    body = shown.json()
    assert (body["id"], body["status"], body["queue"], body["complete"]) == (identity, "parked", FACTS.name, True)
    assert '"rating":9' in body["body"]
    assert "081200000001" not in shown.text
    assert "6281200000001" not in shown.text


async def test_the_code_of_a_one_time_password_is_not_shown(api: Api) -> None:
    identity = parked(api, body='{"type":"otp","to":"x","data":{"code":"934771"}}')
    assert "934771" not in (await ask(api, f"/{identity}")).text


async def test_pages_go_from_the_latest_on_and_miss_nothing_and_know_the_queue(api: Api) -> None:
    at = datetime.now(UTC).replace(microsecond=0)
    kept = [parked(api, f"e{n:02d}", parked_at=at - timedelta(seconds=n // 3)) for n in range(12)]
    parked(api, "other", queue="dispatcher.outcomes", _id="dispatcher.outcomes:other")
    seen: list[str] = []
    cursor = None
    while True:
        query: dict[str, Any] = {"queue": FACTS.name, "limit": 5} | ({"cursor": cursor} if cursor else {})
        page = (await ask(api, "", **query)).json()
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(seen) == sorted(kept)
    assert seen[:3] == sorted(kept[:3], reverse=True)
    assert "body" not in page["items"][0]
    assert_error(await ask(api, "", queue="nowhere"), 422, "VALIDATION_ERROR", field="queue")
    assert_error(await ask(api, "", cursor="bm9uc2Vuc2U="), 422, "VALIDATION_ERROR", field="cursor")


async def test_one_is_handed_in_where_it_came_from_once_unless_forced(api: Api, rabbitmq_url: str) -> None:
    await emptied(rabbitmq_url)
    identity = parked(api)
    replayed = await act(api, identity, "replay")
    assert replayed.status_code == 200, replayed.text
    assert (replayed.json()["status"], replayed.json()["replayed_by"], replayed.json()["replays"]) == (
        "replayed", "tester", 1,
    )  # fmt: skip
    assert_error(await act(api, identity, "replay"), 409, "CONFLICT")
    assert (await act(api, identity, "replay", {"force": True})).json()["replays"] == 2
    async with raw_channel(rabbitmq_url) as channel:
        queue = await channel.get_queue(FACTS.name)
        first, second = await queue.get(no_ack=True), await queue.get(no_ack=True)
        with contextlib.suppress(Exception):
            assert await queue.get(no_ack=True, fail=False) is None
    assert first.body.decode() == BODY
    assert (first.message_id, first.exchange, first.routing_key) == ("evt_1", EVENTS.name, "survey.answered")
    assert (first.headers[REPLAY_HEADER], second.headers[REPLAY_HEADER]) == ("1", "2")
    entry = api.rows["audit_log"].find_one({"action": "parked_envelope.replay", "outcome": "done"})
    assert entry is not None
    assert entry["targets"] == [identity]


async def test_what_is_handed_in_again_goes_on_in_the_trace_it_came_in(api: Api, rabbitmq_url: str) -> None:
    await emptied(rabbitmq_url)
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    another = {"traceparent": "00-af7651916cd43dd8448eb211c80319c7-b7ad6b7169203331-01"}
    async with api.client("noc") as client:
        for identity in (parked(api, "evt_1", traceparent=traceparent), parked(api, "evt_2")):
            path = f"/api/parked-envelopes/{quote(identity, safe='')}/replay"
            assert (await client.post(path, headers=another)).is_success
    async with raw_channel(rabbitmq_url) as channel:
        queue = await channel.get_queue(FACTS.name)
        came = [(await queue.get(no_ack=True)).headers[TRACE_HEADER] for _ in range(2)]
    assert came == [traceparent, another["traceparent"]]


async def test_what_was_not_kept_whole_or_came_from_nowhere_is_not_handed_in(api: Api) -> None:
    truncated = parked(api, "long", body_bytes=400_000)
    answer = assert_error(await act(api, truncated, "replay", {"force": True}), 409, "NOT_REPLAYABLE")
    assert "not kept whole" in answer["error"]
    assert (await ask(api, f"/{truncated}")).json()["complete"] is False
    assert_error(await act(api, parked(api, "lost", exchange="elsewhere"), "replay"), 409, "CONFLICT")
    assert_error(await act(api, "dispatcher.facts:none", "replay"), 404, "NOT_FOUND")


async def test_a_large_one_is_shown_and_handed_in_whole(api: Api, rabbitmq_url: str) -> None:
    await emptied(rabbitmq_url)
    body = json.dumps({"event_id": "evt_1", "comment": "x" * (8 * 1024 * 1024 - 100), "token": "hush-1"})
    identity = parked(api, body=body)
    shown = (await ask(api, f"/{identity}")).json()
    assert (shown["complete"], "hush-1" in shown["body"]) == (True, False)
    assert (await act(api, identity, "replay")).status_code == 200
    async with raw_channel(rabbitmq_url) as channel:
        queue = await channel.get_queue(FACTS.name)
        assert (await queue.get(no_ack=True)).body.decode() == body


async def test_two_who_replay_at_once_hand_in_one(api: Api, rabbitmq_url: str) -> None:
    await emptied(rabbitmq_url)
    identity = parked(api)
    answers = await asyncio.gather(*(act(api, identity, "replay") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]


async def test_one_that_was_discarded_stays_to_be_looked_at(api: Api) -> None:
    identity = parked(api)
    assert (await act(api, identity, "discard")).json()["status"] == "discarded"
    assert_error(await act(api, identity, "discard"), 409, "CONFLICT")
    assert_error(await act(api, identity, "replay"), 409, "CONFLICT")
    assert (await ask(api, f"/{identity}")).json()["discarded_by"] == "tester"


async def test_one_that_is_being_replayed_is_not_discarded_until_that_ends(api: Api) -> None:
    identity = parked(api, replaying_until=datetime.now(UTC) + timedelta(seconds=60))
    assert "replaying" in assert_error(await act(api, identity, "discard"), 409, "CONFLICT")["error"]
    ended = {"$set": {"replaying_until": datetime.now(UTC) - timedelta(seconds=60)}}
    api.rows["parked_envelopes"].update_one({"_id": identity}, ended)
    assert (await act(api, identity, "discard")).json()["status"] == "discarded"


@pytest.mark.parametrize("role", ["manager", "supervisor", "cs", "technician"])
async def test_they_are_for_operators_alone(api: Api, role: str) -> None:
    assert_error(await ask(api, "", role), 403, "FORBIDDEN")
