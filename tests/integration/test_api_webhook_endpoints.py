"""Portals are told what happened, signed, until they take it, and one that is dead delays nobody."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from api_gateway.adapters.mongo_webhook_endpoints import MongoEndpoints, MongoMessages
from api_gateway.application.manage_endpoints import ManageEndpoints
from api_gateway.domain.access import Caller
from api_gateway.domain.webhook_endpoint import Alert, Endpoint
from common.contracts.events import DeliveryFailed, DeliverySent
from common.messaging.broker import Broker
from common.mongo.connection import connect
from common.topology.declarations import EVENTS
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error, ready, running_api, until, wait_until
from tests.support.bus import connected, publish_raw
from tests.support.dispatching.memory import StoppedClock
from tests.support.portal import Portal, Post, portal
from tests.support.servers import new_database

PRIVATE = {"KABAR_WEBHOOK_ALLOW_PRIVATE": "true", "KABAR_WEBHOOK_ALLOW_HTTP": "true"}


@pytest.fixture(scope="module")
def api(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """It may call portals on this machine."""
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log, **PRIVATE) as started:
        wait_until(lambda: ready(started), f"api-gateway is not ready; see {log}")
        yield started


@pytest.fixture(autouse=True)
async def nothing_stored(api: Api) -> None:
    """No endpoint of another test is called."""
    async with api.client() as client:
        for one in (await client.get("/api/webhook-endpoints")).json()["items"]:
            await client.delete(f"/api/webhook-endpoints/{one['id']}")


@pytest.fixture
async def bus(rabbitmq_url: str) -> AsyncIterator[Broker]:
    async with connected(rabbitmq_url) as broker:
        yield broker


def sent(number: int = 1, kind: type[Any] = DeliverySent) -> Any:
    return kind(
        event_id=f"dlv_{number}.{kind.routing_key}.{uuid4().hex[:8]}", occurred_at=datetime.now(UTC), version=3,
        delivery_id=f"dlv_{number}", notification_id="ntf_1", type="custom", channel="whatsapp",
        recipient="6281******001", status=kind.routing_key.partition(".")[2], provider="fonnte", sender="fonnte-1",
    )  # fmt: skip


async def register(api: Api, there: Portal | str, *events: str, **fields: Any) -> dict[str, Any]:
    url = there if isinstance(there, str) else there.url
    async with api.client() as client:
        answer = await client.post(
            "/api/webhook-endpoints", json={"url": url, "events": list(events) or ["delivery.*"], **fields}
        )
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def act(api: Api, path: str, method: str = "POST", **body: Any) -> Any:
    async with api.client() as client:
        return await client.request(method, f"/api/webhook-endpoints/{path}", json=body)


async def messages(api: Api, endpoint: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    async with api.client() as client:
        answer = await client.get(f"/api/webhook-endpoints/{endpoint['id']}/messages", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def posted(there: Portal, count: int = 1) -> list[Post]:
    async def has() -> bool:
        return len(there.posts) >= count

    await until(has, f"only {len(there.posts)} posts", seconds=15)
    return there.posts


def signs(secret: str, post: Post) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{post.headers['webhook-id']}.{post.headers['webhook-timestamp']}.".encode() + post.body
    mine = "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return mine in post.headers["webhook-signature"].split()


async def test_a_portal_is_told_what_it_asked_for_signed_and_once(api: Api, bus: Broker) -> None:
    with portal() as there:
        made = await register(api, there, "delivery.sent")
        event = sent()
        await bus.publish_many(EVENTS, [event, event, sent(2, DeliveryFailed)])
        await bus.publish(EVENTS, event)
        (post,) = await posted(there)

        async def delivered() -> bool:
            return [one["status"] for one in await messages(api, made)] == ["delivered"]

        await until(delivered, "not delivered")
        assert await asyncio.to_thread(lambda: len(there.posts)) == 1
    assert post.headers["webhook-id"] == event.event_id
    assert abs(int(post.headers["webhook-timestamp"]) - datetime.now(UTC).timestamp()) < 30
    assert signs(made["secret"], post)
    assert post.content["type"] == "delivery.sent"
    assert DeliverySent.model_validate(post.content["data"]) == event


@pytest.mark.parametrize("sampled", ["01", "00"])
async def test_a_portal_is_told_in_which_trace_it_happened(api: Api, bus: Broker, sampled: str) -> None:
    traceparent = f"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{sampled}"
    with portal(500, 204) as there:
        endpoint = await register(api, there, "delivery.sent")
        await bus.publish(EVENTS, sent().belonging_to(traceparent))
        await posted(there)
        (message,) = await messages(api, endpoint)
        assert (await act(api, f"{endpoint['id']}/messages/{message['id']}/retry")).is_success
        assert [post.headers.get("traceparent") for post in await posted(there, 2)] == [traceparent] * 2
        await bus.publish(EVENTS, sent(2))
        assert "traceparent" not in (await posted(there, 3))[2].headers


async def test_a_failed_call_is_made_again_and_can_be_asked_for(api: Api, bus: Broker) -> None:
    with portal(500, 503, 204) as there:
        made = await register(api, there)
        await bus.publish(EVENTS, sent())
        await posted(there)
        first = await until_message(api, made, http_status=500)
        assert (first["status"], first["calls"]) == ("pending", 1)
        assert first["next_call_at"] > first["called_at"]
        api.rows["webhook_messages"].update_one({"_id": first["id"]}, {"$set": {"wake_at": datetime.now(UTC)}})
        await posted(there, 2)
        second = await until_message(api, made, http_status=503)
        assert (await act(api, f"{made['id']}/messages/{second['id']}/retry")).status_code == 200
        await posted(there, 3)
        third = await until_message(api, made, status="delivered")
        assert (third["calls"], third["http_status"], third["next_call_at"]) == (1, 204, None)
    assert len({post.headers["webhook-id"] for post in there.posts}) == 1


async def until_message(api: Api, endpoint: dict[str, Any], **wanted: Any) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    async def looks_so() -> bool:
        found[:] = [one for one in await messages(api, endpoint) if wanted.items() <= one.items()]
        return bool(found)

    await until(looks_so, f"no message with {wanted}", seconds=15)
    return found[0]


async def test_a_call_that_never_worked_is_given_up(api: Api, bus: Broker) -> None:
    with portal(500) as there:
        made = await register(api, there)
        await bus.publish(EVENTS, sent())
        first = await until_message(api, made, http_status=500)
        last = {"wake_at": datetime.now(UTC), "calls": 6}
        api.rows["webhook_messages"].update_one({"_id": first["id"]}, {"$set": last})
        given_up = await until_message(api, made, status="failed")
        assert (given_up["calls"], given_up["next_call_at"]) == (7, None)
        assert len(await messages(api, made, status="failed")) == 1
        assert await messages(api, made, status="pending") == []


async def test_one_that_never_answers_delays_no_other(api: Api, bus: Broker) -> None:
    with portal(hold=True) as dead, portal() as alive:
        await register(api, dead)
        await register(api, alive)
        await bus.publish_many(EVENTS, [sent(number) for number in range(50)])
        started = asyncio.get_running_loop().time()
        await posted(alive, 50)
        assert asyncio.get_running_loop().time() - started < 4
        assert len(dead.posts) <= 4


async def test_two_replicas_call_once(
    api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Any
) -> None:
    url = mongodb.url.replace("/kabar?", f"/{api.rows.name}?")
    with running_api(rabbitmq.url, url, tmp_path / "log", **PRIVATE) as second, portal() as there:
        await asyncio.to_thread(wait_until, lambda: ready(second), "not ready")
        made = await register(api, there)

        async def known_to_both() -> bool:
            return (await messages(second, made)) == []

        await until(known_to_both, "not known")
        api.rows["webhook_messages"].insert_many(
            [
                {"_id": f"whm_{n}", "endpoint_id": made["id"], "event_id": f"e{n}", "event": "delivery.sent",
                 "body": '{"type":"delivery.sent"}', "status": "pending", "calls": 0, "created_at": datetime.now(UTC),
                 "wake_at": datetime.now(UTC)}
                for n in range(100)
            ]
        )  # fmt: skip
        await posted(there, 100)

        async def all_delivered() -> bool:
            return api.rows["webhook_messages"].count_documents({"status": "delivered"}) >= 100

        await until(all_delivered, "not all delivered")
        assert len(there.posts) == len({post.headers["webhook-id"] for post in there.posts}) == 100


async def test_what_was_under_way_when_a_process_died_is_called_again(api: Api) -> None:
    with portal() as there:
        made = await register(api, there)
        past = datetime.now(UTC) - timedelta(seconds=1)
        api.rows["webhook_messages"].insert_one(
            {"_id": "whm_left", "endpoint_id": made["id"], "event_id": "left", "event": "delivery.sent", "body": "{}",
             "status": "pending", "calls": 1, "mark": "call_dead", "created_at": past, "wake_at": past}
        )  # fmt: skip
        await until_message(api, made, id="whm_left", status="delivered", calls=2)


async def test_one_that_took_nothing_for_days_is_disabled_and_people_are_told(api: Api, bus: Broker) -> None:
    with portal(500) as there:
        made = await register(api, there, description="billing")
        long_ago = datetime.now(UTC) - timedelta(days=6)
        failing = {"failing_since": long_ago, "last_failure_at": datetime.now(UTC) - timedelta(hours=12)}
        api.rows["webhook_endpoints"].update_one({"_id": made["id"]}, {"$set": failing})
        await bus.publish(EVENTS, sent())

        async def disabled() -> bool:
            async with api.client() as client:
                return (await client.get(f"/api/webhook-endpoints/{made['id']}")).json()["enabled"] is False

        await until(disabled, "still enabled")

        async def audited() -> bool:
            found = api.rows["audit_log"].find_one({"action": "webhook-endpoint.disable", "targets": made["id"]})
            return found is not None and found["actor"] == "kabar"

        await until(audited, "not in the audit log")

        async def told() -> bool:
            alert = {"type": "system_alert", "data.cause": f"webhook {made['id']}"}
            found = api.rows["notifications"].find_one(alert)
            return found is not None and found["audience"] == [{"to": "6281200000099"}]

        await until(told, "nobody is told, although there is ADMIN_WHATSAPP_NUMBER")
        count = len(there.posts)
        await bus.publish(EVENTS, sent(2))
        enabled = await act(api, made["id"], "PATCH", enabled=True)
        assert (enabled.json()["enabled"], enabled.json()["failing_since"]) == (True, None)
        there.answers[:] = [204]
        await bus.publish(EVENTS, sent(3))
        await posted(there, count + 1)


async def test_people_are_told_once_of_one_that_many_calls_disable_and_again_after_a_crash(api: Api) -> None:
    with portal(410, hold=True) as there:
        made = await register(api, there)
        past = datetime.now(UTC) - timedelta(seconds=1)
        api.rows["webhook_messages"].insert_many(
            [
                {"_id": f"whm_gone{n}", "endpoint_id": made["id"], "event_id": f"gone{n}", "event": "delivery.sent",
                 "body": "{}", "status": "pending", "calls": 0, "created_at": past, "wake_at": past}
                for n in range(4)
            ]
        )  # fmt: skip
        await posted(there, 4)
        assert there.held is not None
        there.held.set()

        async def all_judged() -> bool:
            called = {"endpoint_id": made["id"], "http_status": 410}
            return api.rows["webhook_messages"].count_documents(called) == 4 and not due(api, made)

        await until(all_judged, "not judged, or people not told")
        assert alerts(api, made) == 1
        left = {"reason": "it took nothing for 5 days", "at": past, "due": past}
        api.rows["webhook_endpoints"].update_one({"_id": made["id"]}, {"$set": {"alert": left}})

        async def told() -> bool:
            return not due(api, made)

        await until(told, "people are not told of one left by a crash")
        assert alerts(api, made) == 2


def due(api: Api, endpoint: dict[str, Any]) -> bool:
    shown = stored_endpoint(api, endpoint)
    return bool(shown["enabled"]) or shown.get("alert") is not None


def alerts(api: Api, endpoint: dict[str, Any]) -> int:
    query = {"action": "webhook-endpoint.disable", "targets": endpoint["id"]}
    return int(api.rows["audit_log"].count_documents(query))


async def test_one_disables_and_one_tells_people(mongodb_url: str) -> None:
    at = datetime(2025, 11, 21, tzinfo=UTC)
    alert = Alert("it took nothing for 5 days", at, at)
    async with connect(mongodb_url, name="test") as mongo:
        endpoints = MongoEndpoints(mongo)
        await endpoints.add(Endpoint("whe_1", "https://portal.example/", ("*",), "", (), "tester", at))
        assert [await endpoints.disable("whe_1", alert) for _ in range(2)] == [True, False]
        until_then = at + timedelta(seconds=30)
        assert [await endpoints.claim_alert("whe_1", alert, until_then) for _ in range(2)] == [True, False]
        kept = await endpoints.get("whe_1")
        assert kept is not None
        assert kept.alert == Alert(alert.reason, at, until_then)
        await endpoints.alerted("whe_1", alert)
        assert stored_alert(await endpoints.get("whe_1")) is None


def stored_alert(endpoint: Endpoint | None) -> Alert | None:
    assert endpoint is not None
    return endpoint.alert


async def test_two_failures_with_a_quiet_week_between_them_disable_nothing(api: Api, bus: Broker) -> None:
    with portal(500) as there:
        made = await register(api, there)
        week_ago = datetime.now(UTC) - timedelta(days=7)
        api.rows["webhook_endpoints"].update_one(
            {"_id": made["id"]}, {"$set": {"failing_since": week_ago, "last_failure_at": week_ago}}
        )
        await bus.publish(EVENTS, sent())

        async def judged() -> bool:
            return bool(
                stored_endpoint(api, made)["last_failure_at"].replace(tzinfo=UTC) > week_ago + timedelta(days=1)
            )

        await until(judged, "not judged")
        shown = stored_endpoint(api, made)
        assert shown["enabled"]
        assert shown["failing_since"] == shown["last_failure_at"]


async def test_a_new_url_and_a_test_call_that_works_forget_failures(api: Api) -> None:
    with portal() as there:
        made = await register(api, there)
        failing = {"$set": {"failing_since": datetime.now(UTC), "last_failure_at": datetime.now(UTC)}}
        for path, method, body in ((made["id"], "PATCH", {"url": there.url}), (f"{made['id']}/test", "POST", {})):
            api.rows["webhook_endpoints"].update_one({"_id": made["id"]}, failing)
            await act(api, path, method, **body)
            assert stored_endpoint(api, made)["failing_since"] is None


def stored_endpoint(api: Api, endpoint: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] | None = api.rows["webhook_endpoints"].find_one({"_id": endpoint["id"]})
    assert found is not None
    return found


async def test_one_that_is_gone_is_disabled_at_once(api: Api, bus: Broker) -> None:
    with portal(410) as there:
        made = await register(api, there)
        await bus.publish(EVENTS, sent())

        async def disabled() -> bool:
            async with api.client() as client:
                shown = (await client.get(f"/api/webhook-endpoints/{made['id']}")).json()
            return bool(shown["disabled_reason"] == "it answered that it is gone (410)")

        await until(disabled, "still enabled")


async def test_while_a_secret_is_rotated_both_sign_and_neither_is_ever_shown_again(api: Api) -> None:
    with portal() as there:
        made = await register(api, there)
        rotated = await act(api, f"{made['id']}/rotate-secret")
        assert rotated.json()["secret"].startswith("whsec_")
        assert rotated.json()["secrets"] == 2
        tested = await act(api, f"{made['id']}/test")
        assert tested.json() == {"success": True, "http_status": 204, "error": None}
        (post,) = there.posts
        assert signs(made["secret"], post)
        assert signs(rotated.json()["secret"], post)
        assert post.content["type"] == "webhook.test"
        async with api.client() as client:
            shown = (await client.get("/api/webhook-endpoints")).text
        stored = str(list(api.rows["audit_log"].find({"targets": made["id"]})))
    assert "whsec_" not in shown
    assert "whsec_" not in stored


async def test_a_secret_signs_for_its_whole_day_however_often_it_is_rotated(api: Api) -> None:
    with portal() as there:
        made = await register(api, there)
        rotated = [await act(api, f"{made['id']}/rotate-secret") for _ in range(2)]
        secrets = [made["secret"], *(one.json()["secret"] for one in rotated)]
        await act(api, f"{made['id']}/test")
        ends = [one["expires_at"] for one in stored_secrets(api, made)]
        assert [signs(one, there.posts[0]) for one in secrets] == [True, True, True]
        assert ends[0] is None
        assert ends[2] < ends[1]
        rotated = [await act(api, f"{made['id']}/rotate-secret") for _ in range(4)]
        assert rotated[-1].json()["secrets"] == len(stored_secrets(api, made)) == 5
        past = datetime.now(UTC) - timedelta(seconds=1)
        api.rows["webhook_endpoints"].update_one({"_id": made["id"]}, {"$set": {"secrets.3.expires_at": past}})
        await act(api, f"{made['id']}/rotate-secret")
        assert past.replace(microsecond=0) not in {
            one["expires_at"] and one["expires_at"].replace(microsecond=0, tzinfo=UTC)
            for one in stored_secrets(api, made)
        }


def stored_secrets(api: Api, endpoint: dict[str, Any]) -> list[dict[str, Any]]:
    secrets: list[dict[str, Any]] = stored_endpoint(api, endpoint)["secrets"]
    return secrets


async def test_a_rotation_that_is_taken_up_again_rotates_once(mongodb_url: str) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        manage = ManageEndpoints(
            MongoEndpoints(mongo), MongoMessages(mongo), StoppedClock(), ["delivery.sent"],
            allow_http=False, allow_private=False,
        )  # fmt: skip
        itself = Caller("tester", "admin")
        await manage.create("whe_1", itself, url="https://portal.example/", events=["*"], description="")
        first = await manage.rotate("whe_1", "ntf_1")
        assert await manage.rotate("whe_1", "ntf_1") == first
        assert len((await manage.get("whe_1")).secrets) == 2


async def test_a_repeated_request_does_not_show_the_secret_again(api: Api) -> None:
    body = {"url": "http://127.0.0.1:1/", "events": ["*"]}
    headers = {"Idempotency-Key": uuid4().hex}
    async with api.client() as client:
        first = await client.post("/api/webhook-endpoints", json=body, headers=headers)
        again = await client.post("/api/webhook-endpoints", json=body, headers=headers)
        listed = (await client.get("/api/webhook-endpoints")).json()["items"]
    assert (first.status_code, again.status_code, len(listed)) == (201, 201, 1)
    assert again.json()["secret"] is None
    assert first.json()["secret"] not in str(list(api.rows["idempotency_keys"].find()))


async def test_a_test_of_what_is_not_there_says_why(api: Api) -> None:
    made = await register(api, "http://127.0.0.1:1/")
    tested = (await act(api, f"{made['id']}/test")).json()
    assert (tested["success"], tested["http_status"]) == (False, None)
    assert tested["error"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "gopher://x/", "events": ["*"]}, "url"),
        ({"url": "https://portal.example/", "events": ["ticket.created"]}, "events"),
        ({"url": "https://portal.example/", "events": []}, "events"),
        ({"events": ["*"]}, "url"),
    ],
)
async def test_what_cannot_be_registered_is_refused_by_name(api: Api, body: dict[str, Any], field: str) -> None:
    async with api.client() as client:
        assert_error(await client.post("/api/webhook-endpoints", json=body), 422, "VALIDATION_ERROR", field=field)


async def test_endpoints_are_for_administrators_alone(api: Api) -> None:
    async with api.client("noc") as client:
        assert_error(await client.get("/api/webhook-endpoints"), 403, "FORBIDDEN")
    assert_error(await act(api, "whe_none", "DELETE"), 404, "NOT_FOUND")
    assert_error(await act(api, "whe_none/messages/whm_1/retry"), 404, "NOT_FOUND")


async def test_an_envelope_that_is_no_event_is_parked_and_blocks_nobody(
    api: Api, bus: Broker, rabbitmq_url: str
) -> None:
    with portal() as there:
        await register(api, there)
        await publish_raw(rabbitmq_url, EVENTS, "delivery.sent", b'{"event_id": 1}')
        await bus.publish(EVENTS, sent())
        await posted(there)
    assert there.events() == ["delivery.sent"]
