"""One trace follows a notification through every process, however it came and whatever happened to it."""

import asyncio
import json
import secrets
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote
from uuid import uuid4
from zoneinfo import ZoneInfo

import aio_pika
import pytest
import pytest_asyncio

from common.kernel.trace_context import trace_id_of
from common.topology.declarations import EVENTS
from local_stack.webhooks import tell_sandbox, webhook_addresses
from tests.support.collector import Collector, Span, collecting
from tests.support.kabar import UNLIMITED, Kabar, eventually, running_kabar
from tests.support.portal import portal

SETTINGS = {
    **UNLIMITED,
    "WHATSAPP_QUEUE_DELAY": "0.2",
    "WHATSAPP_READ_TIMEOUT": "2",
    "WHATSAPP_BACKOFF_MULTIPLIER": "4",
    "KABAR_SCHEDULE_DUNNING": "* * * * *",
    "KABAR_WEBHOOK_ALLOW_PRIVATE": "true",
    "KABAR_WEBHOOK_ALLOW_HTTP": "true",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
}
WHOLE_WAY = {"POST /api/notifications", "plan notification", "gate", "send to fonnte", "call fonnte", "decide"}
SERVICES = ("api-gateway-1", "dispatcher-1", "gateway-fonnte-1", "gateway-wablas-1", "scheduler-1")
OPENMETRICS = {"Accept": "application/openmetrics-text; version=1.0.0"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as one:
        yield one


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def traced_kabar(tmp_path_factory: pytest.TempPathFactory, collector: Collector) -> AsyncIterator[Kabar]:
    settings = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    async with running_kabar(tmp_path_factory.mktemp("traced"), settings) as kabar:
        assert kabar.access.sandbox_url is not None
        tell_sandbox(kabar.access.sandbox_url, webhook_addresses(kabar.access, None))
        yield kabar


@pytest_asyncio.fixture(loop_scope="session")
async def traced(traced_kabar: Kabar) -> AsyncIterator[Kabar]:
    yield traced_kabar
    await traced_kabar.sandbox.reset()
    assert traced_kabar.access.sandbox_url is not None
    tell_sandbox(traced_kabar.access.sandbox_url, webhook_addresses(traced_kabar.access, None))
    await traced_kabar.resume_all()


def new_traceparent(*, sampled: bool = True) -> tuple[str, str, str]:
    trace_id, span_id = secrets.token_hex(16), secrets.token_hex(8)
    return trace_id, span_id, f"00-{trace_id}-{span_id}-0{int(sampled)}"


async def ended(kabar: Kabar, notification_id: str, *statuses: str) -> dict[str, Any]:
    async def so() -> dict[str, Any] | None:
        delivery = await kabar.delivery(notification_id)
        return delivery if delivery.get("status") in statuses else None

    try:
        return await eventually(so, seconds=40)
    except AssertionError:
        raise AssertionError(f"it is {await kabar.delivery(notification_id)}") from None


async def spans_of(collector: Collector, trace_id: str, complete: Callable[[Counter[str]], bool]) -> list[Span]:
    """The spans of a trace, once they are all there, in the order they began."""

    async def all_there() -> list[Span] | None:
        spans = collector.of(trace_id)
        return spans if complete(Counter(span.name for span in spans)) and orphans(spans) == [] else None

    try:
        return sorted(await eventually(all_there, seconds=30), key=lambda span: span.started)
    except AssertionError:
        there = [(span.service, span.name, span.parent_id, span.span_id) for span in collector.of(trace_id)]
        raise AssertionError(f"of {trace_id} there is {there}") from None


def orphans(spans: Sequence[Span]) -> list[Span]:
    known = {span.span_id for span in spans}
    return [span for span in spans if span.parent_id and span.parent_id not in known]


def named(spans: Sequence[Span], name: str) -> list[Span]:
    return [span for span in spans if span.name == name]


async def test_a_failover_a_retry_and_a_report_are_one_connected_trace(traced: Kabar, collector: Collector) -> None:
    number, text = "6281200000021", "Halo dari jejak"
    for provider in ("fonnte", "wablas"):
        await traced.sandbox.respond(provider, http_status=502, recipient=number, times=1)
    accepted = await traced.accept(to=[number], message=text)
    identity = accepted["notification_id"]
    delivery = await ended(traced, identity, "read")
    notification = await traced.get(f"/api/notifications/{identity}")
    trace_id = notification["trace_id"]
    assert delivery["trace_id"] == trace_id
    assert [a["provider"] for a in delivery["attempts"]] == ["fonnte", "wablas", "fonnte"]

    expected = Counter(
        {
            "POST /api/notifications": 1, "plan notification": 1, "gate": 3, "send to fonnte": 2, "send to wablas": 1,
            "call fonnte": 2, "call wablas": 1, "decide": 3, "look again": 1, "report": 1,
        }
    )  # fmt: skip
    spans = await spans_of(collector, trace_id, lambda there: there >= expected)
    (root,) = [span for span in spans if not span.parent_id]
    assert (root.service, root.name, root.kind) == ("api-gateway", "POST /api/notifications", "SERVER")
    assert root.attributes["kabar.notification_id"] == identity
    assert root.attributes["http.response.status_code"] == 202
    assert {span.service for span in spans} == {"api-gateway", "dispatcher", "gateway-fonnte", "gateway-wablas"}

    sends = sorted([*named(spans, "send to fonnte"), *named(spans, "send to wablas")], key=lambda span: span.started)
    calls = sorted([*named(spans, "call fonnte"), *named(spans, "call wablas")], key=lambda span: span.started)
    decisions = named(spans, "decide")
    assert [send.parent_id for send in sends] == [root.span_id] * 3
    assert [call.parent_id for call in calls] == [send.span_id for send in sends]
    assert [decision.parent_id for decision in decisions] == [call.span_id for call in calls]
    assert [send.links for send in sends] == [(), *(((trace_id, call.span_id),) for call in calls[:2])]
    assert [(call.failed, call.attributes["kabar.outcome"]) for call in calls] == [
        (True, "failed"), (True, "failed"), (False, "succeeded"),
    ]  # fmt: skip
    assert [call.attributes["kabar.attempt"] for call in calls] == [1, 2, 3]
    assert {call.attributes["kabar.delivery_id"] for call in calls} == {delivery["id"]}

    links = {link for report in named(spans, "report") for link in report.links}
    assert links
    for trace, span_id in links:
        steps = {"POST /webhooks/{provider}/{secret}", "read webhook of fonnte"}
        there = await spans_of(collector, trace, lambda names, steps=steps: names.keys() >= steps)  # type: ignore[misc]
        (read,) = [span for span in there if span.span_id == span_id]
        assert (read.service, read.name) == ("gateway-fonnte", "read webhook of fonnte")

    lines = logged(traced, delivery["id"])
    assert {line["event"] for line in lines} >= {"attempt.failed", "attempt.succeeded", "delivery.settled"}
    assert {line.get("trace_id") for line in lines} == {trace_id}


async def test_no_number_text_or_secret_is_in_any_span(traced: Kabar, collector: Collector) -> None:
    number, text = "6281200000022", "Rahasia pelanggan zamrud"
    await traced.sandbox.respond("fonnte", http_status=502, recipient=number, times=1)
    await traced.sandbox.fail("wablas", reason=f"cannot reach {number}", recipient=number, times=1)
    accepted = await traced.accept(to=[number], message=text)
    delivery = await ended(traced, accepted["notification_id"], "read", "failed")
    names = {"call fonnte", "call wablas"}
    await spans_of(collector, delivery["trace_id"], lambda there: there.keys() >= names and there["decide"] >= 2)
    secret = webhook_addresses(traced.access, None)["fonnte"].rpartition("/")[2]
    told = b"\n".join(collector.bodies)
    for word in (number[2:], "zamrud", secret, traced.access.token, "sandbox-fonnte-token", "sandbox-wablas-token"):
        assert word.encode() not in told, word


async def test_a_callers_own_trace_goes_on(traced: Kabar, collector: Collector) -> None:
    trace_id, span_id, traceparent = new_traceparent()
    answer = await traced.http.post(
        "/api/notifications",
        json={"type": "custom", "to": ["6281200000023"], "message": "Halo"},
        headers={"traceparent": traceparent},
    )
    delivery = await ended(traced, answer.json()["notification_id"], "sent", "delivered", "read")
    assert delivery["trace_id"] == trace_id
    root = await begun_elsewhere(collector, trace_id, "POST /api/notifications")
    assert (root.kind, root.parent_id) == ("SERVER", span_id)


@pytest.mark.parametrize("traceparent", ["nonsense", f"00-{'0' * 32}-00f067aa0ba902b7-01"])
async def test_what_is_no_trace_is_ignored(traced: Kabar, collector: Collector, traceparent: str) -> None:
    answer = await traced.http.post(
        "/api/notifications",
        json={"type": "custom", "to": ["6281200000024"], "message": f"Halo {traceparent[:2]}"},
        headers={"traceparent": traceparent},
    )
    delivery = await ended(traced, answer.json()["notification_id"], "sent", "delivered", "read")
    spans = await spans_of(collector, delivery["trace_id"], lambda there: there.keys() >= WHOLE_WAY)
    assert len([span for span in spans if not span.parent_id]) == 1


async def test_what_its_caller_does_not_sample_nobody_records(traced: Kabar, collector: Collector) -> None:
    trace_id, _, traceparent = new_traceparent(sampled=False)
    body = {"type": "custom", "to": ["6281200000025"], "message": "Halo"}
    answer = await traced.http.post("/api/notifications", json=body, headers={"traceparent": traceparent})
    delivery = await ended(traced, answer.json()["notification_id"], "read")
    assert delivery["trace_id"] == trace_id
    assert {line.get("trace_id") for line in logged(traced, delivery["id"])} == {trace_id}
    later = await traced.accept(to=["6281200000026"], message="Halo")
    seen = (await ended(traced, later["notification_id"], "read"))["trace_id"]
    await spans_of(collector, seen, lambda there: there.keys() >= {*WHOLE_WAY, "report"})
    assert collector.of(trace_id) == []


async def test_what_is_asked_for_on_the_bus_goes_on_from_there(traced: Kabar, collector: Collector) -> None:
    trace_id, span_id, traceparent = new_traceparent()
    body = {"type": "custom", "to": ["6281200000027"], "message": "Halo dari bus"}
    await publish(traced, "notification.requested", traceparent, **body)
    root = await begun_elsewhere(collector, trace_id, "process api-gateway.requests")
    assert (root.kind, root.parent_id) == ("CONSUMER", span_id)
    notification = await traced.get(f"/api/notifications/{root.attributes['kabar.notification_id']}")
    assert notification["trace_id"] == trace_id


async def test_what_is_asked_for_too_early_is_of_the_same_trace_later(traced: Kabar, collector: Collector) -> None:
    trace_id, _, traceparent = new_traceparent()
    await publish(
        traced, "notification.requested", traceparent, type="account_activated", data={"customer_id": "C-EARLY"}
    )

    async def kept() -> int:
        return await asyncio.to_thread(traced.database["early_requests"].count_documents, {})

    await eventually(kept, seconds=20)
    row = {"id": "C-EARLY", "name": "Sari", "phone": "6281200000033", "status": "active"}
    assert (await traced.http.put("/api/directory/customers/C-EARLY", json=row)).is_success
    await begun_elsewhere(collector, trace_id, "process api-gateway.requests")


async def test_what_is_parked_and_handed_in_again_is_of_the_trace_it_came_in(
    traced: Kabar, collector: Collector
) -> None:
    row = {"id": "C-LATE", "name": "Sari", "phone": "6281200000036", "status": "active"}
    assert (await traced.http.put("/api/directory/customers/C-LATE", json=row)).is_success
    trace_id, span_id, traceparent = new_traceparent()
    assert (await traced.http.patch("/api/routes/account_activated", json={"enabled": False})).is_success
    wanted = {"type": "account_activated", "data": {"customer_id": "C-LATE"}}
    await publish(traced, "notification.requested", traceparent, **wanted)
    parked = await eventually(partial(parked_of, traced, "C-LATE"), seconds=60)
    assert (await traced.http.delete("/api/routes/account_activated")).is_success
    assert (await traced.http.post(f"/api/parked-envelopes/{quote(parked['id'], safe='')}/replay")).is_success

    async def whole() -> bool:
        spans = collector.of(trace_id)
        return {span.name for span in spans} >= WHOLE_WAY - {"POST /api/notifications"} and {
            span.parent_id for span in orphans(spans)
        } == {span_id}

    await eventually(whole, seconds=60)


async def parked_of(kabar: Kabar, said: str) -> dict[str, Any] | None:
    items = (await kabar.get("/api/parked-envelopes"))["items"]
    found = [await kabar.get(f"/api/parked-envelopes/{quote(one['id'], safe='')}") for one in items]
    return next((one for one in found if said in one["body"]), None)


async def test_what_a_fact_brings_about_goes_on_from_there(traced: Kabar, collector: Collector) -> None:
    trace_id, span_id, traceparent = new_traceparent()
    row = {"id": "C-FACT", "name": "Sari", "phone": "6281200000034"}
    await publish(traced, "customer.activated", traceparent, version=1, **row)
    root = await begun_elsewhere(collector, trace_id, "process dispatcher.facts")
    assert root.parent_id == span_id
    assert named(collector.of(trace_id), "process api-gateway.requests")[0].parent_id == root.span_id


async def publish(kabar: Kabar, routing_key: str, traceparent: str, **fields: Any) -> None:
    event_id = uuid4().hex
    body = json.dumps({"event_id": event_id, "occurred_at": datetime.now(UTC).isoformat(), **fields}).encode()
    async with await aio_pika.connect(kabar.access.rabbitmq_url) as connection:
        exchange = await (await connection.channel()).get_exchange(EVENTS.name)
        message = aio_pika.Message(body, message_id=event_id, headers={"traceparent": traceparent})
        await exchange.publish(message, routing_key)


async def begun_elsewhere(collector: Collector, trace_id: str, name: str) -> Span:
    """Our first span of a trace that somebody else began, once it is whole."""
    names = (WHOLE_WAY - {"POST /api/notifications"}) | {name}

    async def whole() -> Span | None:
        spans = collector.of(trace_id)
        first = orphans(spans)
        return first[0] if {span.name for span in spans} >= names and len(first) == 1 else None

    root = await eventually(whole, seconds=60)
    assert root.name == name
    return root


async def test_what_is_told_on_the_bus_names_its_trace(traced: Kabar) -> None:
    async with await aio_pika.connect(traced.access.rabbitmq_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS.name, "delivery.sent")
        accepted = await traced.accept(to=["6281200000028"], message="Halo")
        async with queue.iterator(timeout=30) as told:
            async for message in told:
                if json.loads(message.body)["notification_id"] == accepted["notification_id"]:
                    break
    notification = await traced.get(f"/api/notifications/{accepted['notification_id']}")
    assert str(message.headers["traceparent"]).split("-")[1] == notification["trace_id"]


async def test_a_portal_is_told_within_the_trace_and_can_go_on_with_it(traced: Kabar, collector: Collector) -> None:
    with portal(503) as there:
        wanted = {"url": there.url, "events": ["delivery.sent"]}
        endpoint = (await traced.http.post("/api/webhook-endpoints", json=wanted)).json()
        accepted = await traced.accept(to=["6281200000035"], message="Halo portal")
        trace_id = (await traced.get(f"/api/notifications/{accepted['notification_id']}"))["trace_id"]
        spans = await spans_of(collector, trace_id, lambda names: names["call portal"] == 2)
        assert (await traced.http.delete(f"/api/webhook-endpoints/{endpoint['id']}")).is_success
    calls = named(spans, "call portal")
    told = [post.headers["traceparent"] for post in there.posts]  # also of what others do meanwhile
    assert [one for one in told if trace_id_of(one) == trace_id] == [
        f"00-{trace_id}-{call.span_id}-01" for call in calls
    ]
    assert [(call.service, call.kind, call.failed) for call in calls] == [("api-gateway", "CLIENT", True)] * 2
    assert [call.attributes["http.response.status_code"] for call in calls] == [503, 503]
    assert [call.attributes["kabar.call"] for call in calls] == [1, 2]


async def test_a_firing_of_the_scheduler_begins_a_trace(traced: Kabar, collector: Collector) -> None:
    customer = {"id": "C-TRACE", "name": "Sari", "phone": "6281200000029", "status": "active"}
    due = (datetime.now(ZoneInfo("Asia/Jakarta")) + timedelta(days=3)).date().isoformat()
    invoice = {
        "id": "INV-TRACE", "customer_id": "C-TRACE", "number": "INV/T/1", "amount": 150000, "due_date": due,
        "status": "unpaid",
    }  # fmt: skip
    assert (await traced.http.put("/api/directory/customers/C-TRACE", json=customer)).is_success
    assert (await traced.http.put("/api/directory/invoices/INV-TRACE", json=invoice)).is_success

    async def told() -> str | None:
        found = await asyncio.to_thread(traced.database["deliveries"].find_one, {"recipient": customer["phone"]})
        return found["traceparent"].split("-")[1] if found else None

    trace_id = await eventually(told, seconds=150)  # the next full minute, or the one after a change of day
    names = {"run dunning", "process api-gateway.requests", *(WHOLE_WAY - {"POST /api/notifications"})}
    spans = await spans_of(collector, trace_id, lambda there: there.keys() >= names)
    (root,) = [span for span in spans if not span.parent_id]
    assert (root.service, root.name) == ("scheduler", "run dunning")
    assert root.attributes["kabar.status"] == "done"
    assert {span.service for span in spans} >= {"scheduler", "api-gateway", "dispatcher", "gateway-fonnte"}


async def test_a_trace_survives_the_death_of_who_has_it(traced: Kabar, collector: Collector) -> None:
    number = "6281200000030"
    for provider in ("fonnte", "wablas"):
        await traced.sandbox.respond(provider, http_status=502, recipient=number, times=2)
    accepted = await traced.accept(to=[number], message="Halo lagi")
    notification = await traced.get(f"/api/notifications/{accepted['notification_id']}")
    trace_id = notification["trace_id"]
    await spans_of(collector, trace_id, lambda there: there["decide"] >= 4)
    traced.kill("dispatcher-1")  # for seconds it has nothing to do but to wait for the third round
    await ended(traced, accepted["notification_id"], "sent", "delivered", "read")
    spans = await spans_of(collector, trace_id, lambda there: there["decide"] >= 5)
    assert len([span for span in spans if not span.parent_id]) == 1


async def test_latencies_lead_to_their_traces_for_who_asks_for_openmetrics(traced: Kabar, collector: Collector) -> None:
    accepted = await traced.accept(to=["6281200000030"], message="Halo")
    await ended(traced, accepted["notification_id"], "sent", "delivered", "read")
    for name, metric in (
        ("api-gateway-1", "http_request_duration_seconds"),
        ("gateway-fonnte-1", "attempt_duration_seconds"),
        ("dispatcher-1", "delivery_sent_seconds"),
    ):
        (port,) = [one.port for one in traced.stack.status() if one.state.name == name]
        plain = await traced.http.get(f"http://127.0.0.1:{port}/metrics")
        assert plain.headers["content-type"].startswith("text/plain")
        assert "trace_id" not in plain.text
        rich = await traced.http.get(f"http://127.0.0.1:{port}/metrics", headers=OPENMETRICS)
        assert rich.headers["content-type"].startswith("application/openmetrics-text")
        assert rich.text.endswith("# EOF\n")
        shown = [line for line in rich.text.splitlines() if line.startswith(f"{metric}_bucket") and " # {" in line]
        assert shown, metric
        for line in shown:
            trace_id = line.partition('trace_id="')[2].partition('"')[0]
            assert await eventually(lambda trace_id=trace_id: arrived(collector, trace_id), seconds=20)  # type: ignore[misc]


async def arrived(collector: Collector, trace_id: str) -> list[Span]:
    return collector.of(trace_id)


async def test_a_collector_that_is_silent_holds_nothing_up(traced: Kabar, collector: Collector) -> None:
    collector.silent.set()
    try:
        accepted = await traced.accept(
            to=[f"6281200001{number:03}" for number in range(20)], message="Kolektor diam", priority="critical"
        )
        counts = await traced.settled(accepted["notification_id"], 20, seconds=60)
    finally:
        collector.silent.clear()
    assert not set(counts) - {"sent", "delivered", "read"}


async def test_a_share_of_the_traces_is_recorded_and_each_of_them_whole(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    with collecting() as collector:
        settings = {
            **SETTINGS,
            "WHATSAPP_QUEUE_DELAY": "0",
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
            "OTEL_TRACES_SAMPLER_ARG": "0.5",
        }
        async with running_kabar(tmp_path_factory.mktemp("sampled"), settings) as kabar:
            accepted = [
                (await kabar.accept(to=[f"62812000020{number:02}"], message=f"Halo {number}"))["notification_id"]
                for number in range(60)
            ]
            deliveries = [await ended(kabar, one, "sent") for one in accepted]
            traceparents = [one["traceparent"] for one in kabar.database["notifications"].find()]
            sampled = [trace_id_of(one) for one in traceparents if one.endswith("-01")]
            assert 10 <= len(sampled) <= 50, "of 60 tosses of a coin fewer or more come once in ten million"
            for trace_id in sampled:
                spans = await spans_of(collector, trace_id or "", lambda there: there.keys() >= WHOLE_WAY - {"gate"})
                assert len([span for span in spans if not span.parent_id]) == 1
            others = {delivery["trace_id"] for delivery in deliveries} - set(sampled)
        assert not [span for span in collector.spans if span.trace_id in others]


async def test_without_a_collector_nothing_of_it_is_loaded_and_a_callers_trace_is_known_all_the_same(
    kabar: Kabar,
) -> None:
    trace_id, _, traceparent = new_traceparent()
    body = {"type": "custom", "to": ["6281200000049"], "message": "Halo"}
    answer = await kabar.http.post("/api/notifications", json=body, headers={"traceparent": traceparent})
    delivery = await ended(kabar, answer.json()["notification_id"], "sent", "delivered", "read")
    assert delivery["trace_id"] == trace_id
    assert {line.get("trace_id") for line in logged(kabar, delivery["id"])} == {trace_id}
    plain = await kabar.accept(to=["6281200000049"], message="Halo lagi")
    assert (await kabar.get(f"/api/notifications/{plain['notification_id']}"))["trace_id"] is None
    for name in SERVICES:
        with open(f"/proc/{kabar.pid(name)}/maps") as maps:  # noqa: ASYNC230, PTH123 - it is no file
            assert "/google/_upb/" not in maps.read(), f"{name} has loaded what encodes traces"


def logged(kabar: Kabar, delivery_id: str) -> list[dict[str, Any]]:
    """What the services said of a delivery."""
    texts = (path.read_text() for path in kabar.stack.supervisor.logs.glob("*.log*"))
    lines = (line for text in texts for line in text.splitlines() if f'"{delivery_id}"' in line)
    return [json.loads(line) for line in lines if line.startswith("{")]
