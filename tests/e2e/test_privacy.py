"""What went through a whole Kabar can be made to say nothing of anybody, and still be counted."""

import asyncio
import json
import re
import zlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aio_pika
import pytest

from api_gateway.adapters.mongo_statistics import FIELDS
from common.mongo.connection import connect
from common.mongo.personal import HOLDINGS
from common.testing.clock import HandClock
from common.topology.declarations import EVENTS, QUEUES
from local_stack.webhooks import tell_sandbox, webhook_addresses
from scheduler.adapters.mongo_old_contents import MongoOldContents
from scheduler.application.ports import Firing, Tally
from scheduler.application.remove_old_contents import RemoveOldContents
from tests.support.command_line import installed
from tests.support.kabar import Kabar, eventually

HER, HIS = "6281200000047", "6281200000048"
NAME, MAIL = "Zulaikha Dewi", "zulaikha.dewi@example.com"
HERS = ("81200000047", "zulaikha", "cempaka", "zamrud")
"""Her number however it begins, her name and her address, and a word that was told to nobody else."""
STATS = "/api/whatsapp-notifications/stats"
UNDER_WAY = {"$in": ["queued", "sending"]}
NOT_OURS = ("rabbitmq", "mongodb", "sandbox", "supervisord")


@pytest.fixture
async def told(kabar: Kabar) -> AsyncIterator[Kabar]:
    """Both providers post to us; surveys go out at any time; a portal that nobody reaches wants to be told of all."""
    assert kabar.access.sandbox_url is not None
    tell_sandbox(kabar.access.sandbox_url, webhook_addresses(kabar.access, None))
    assert (await kabar.http.patch("/api/routes/satisfaction_survey", json={"hours": None})).is_success
    endpoint = {"url": "https://portal.invalid/kabar", "events": ["*"]}
    registered = await kabar.http.post("/api/webhook-endpoints", json=endpoint)
    assert registered.status_code == 201, registered.text
    yield kabar
    await kabar.http.delete(f"/api/webhook-endpoints/{registered.json()['id']}")
    await kabar.http.patch("/api/routes/satisfaction_survey", json={"reset": ["hours"]})


def words_in(text: str) -> list[str]:
    """Which of hers, also where the number is written in groups."""
    lower = text.casefold()
    return [word for word in HERS if word in lower or word in re.sub(r"[\s.()+-]", "", lower)]


def mentioned(kabar: Kabar) -> dict[str, list[str]]:
    """What of her is in which collection; answers that are kept compressed are looked into."""

    def text(document: dict[str, Any]) -> str:
        body = document.get("body")
        return str(document) + (zlib.decompress(body).decode() if isinstance(body, bytes) else "")

    found = {
        name: sorted({word for document in kabar.database[name].find() for word in words_in(text(document))})
        for name in kabar.database.list_collection_names()
    }
    return {name: words for name, words in found.items() if words}


async def queued(kabar: Kabar) -> dict[str, list[str]]:
    """What of her waits in which queue of RabbitMQ; whatever is looked at goes back."""
    found: dict[str, list[str]] = {}
    async with await aio_pika.connect(kabar.access.rabbitmq_url) as connection:
        channel = await connection.channel()
        for known in QUEUES:
            queue = await channel.get_queue(known.name)
            while (message := await queue.get(fail=False)) is not None:
                words = words_in(f"{message.body.decode(errors='replace')} {message.headers}")
                found[known.name] = found.get(known.name, []) + words
    return {name: words for name, words in found.items() if words}


def logged(kabar: Kabar) -> str:
    files = kabar.stack.supervisor.logs.glob("*.log*")
    return "\n".join(file.read_text(errors="replace") for file in files if not file.name.startswith(NOT_OURS))


async def put(kabar: Kabar, kind: str, identity: str, **row: Any) -> None:
    answer = await kabar.http.put(f"/api/directory/{kind}/{identity}", json=row)
    assert answer.is_success, answer.text


async def publish(kabar: Kabar, routing_key: str, body: bytes) -> None:
    async with await aio_pika.connect(kabar.access.rabbitmq_url) as connection:
        exchange = await (await connection.channel()).get_exchange(EVENTS.name)
        await exchange.publish(aio_pika.Message(body), routing_key)


async def registered(kabar: Kabar, event_id: str, at: datetime) -> None:
    """She, told of by another service under another identity."""
    row = {"id": "C-79", "name": NAME, "phone": "0812-0000-0047", "email": MAIL, "address": "Jalan Cempaka 7"}
    fact = {"event_id": event_id, "occurred_at": at.isoformat(), "version": 1, **row}
    await publish(kabar, "customer.registered", json.dumps(fact).encode())


async def posted(kabar: Kabar, path: str, body: dict[str, Any], key: str | None = None) -> str:
    answer = await kabar.http.post(path, json=body, headers={} if key is None else {"Idempotency-Key": key})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["notification_id"])


async def she_is_told_everything(kabar: Kabar) -> list[str]:
    """By every road: alone, in a list, by mail, in vain; and others are told about her."""
    await put(kabar, "customers", "C-71", name=NAME, phone=HER, email=MAIL, area="Utara", address="Jalan Cempaka 7",
              status="active")  # fmt: skip
    await put(kabar, "customers", "C-72", name="Budi", phone=HIS, status="active")
    await put(kabar, "technicians", "X-72", name="Agus", phone=HIS, status="active")
    await put(kabar, "tickets", "T-71", customer_id="C-71", technician_id="X-72", status="open",
              title=f"Internet {NAME} mati", description="zamrud")  # fmt: skip
    await put(kabar, "invoices", "I-71", customer_id="C-71", amount=250_000, due_date="2030-01-01", status="unpaid",
              payment_link="https://b.example.com/zulaikha")  # fmt: skip
    wanted: list[dict[str, Any]] = [
        {"type": "custom", "to": [HER, HIS], "message": "Halo semua"},
        {"type": "custom", "items": [{"to": HER, "message": f"Halo {NAME}"}, {"to": HIS, "message": "Halo Budi"}]},
        {"type": "payment_reminder", "data": {"invoice_id": "I-71", "days_left": 3}},
        {"type": "ticket_assignment", "data": {"ticket_id": "T-71", "technician_id": "X-72"}},
        {"type": "otp", "to": HER, "data": {"code": "123456"}},
    ]
    sent = [await posted(kabar, "/api/notifications", body) for body in wanted]
    keyed = {"type": "custom", "to": HER, "message": f"Halo {NAME}, ini zamrud"}
    sent += [await posted(kabar, "/api/notifications", keyed, key="privacy-71") for _ in range(2)]
    sent.append(await posted(kabar, "/api/whatsapp-notifications/welcome/C-71", {}))
    sent.append(await posted(kabar, "/api/whatsapp-notifications/survey/T-71", {}))
    await all_over(kabar)
    await kabar.sandbox.fail("fonnte", reason="target invalid", recipient=HER, times=1)
    failing = {"type": "custom", "to": HER, "message": "zamrud", "providers": ["fonnte"]}
    sent.append(await posted(kabar, "/api/notifications", failing))
    await all_over(kabar)
    assert (await kabar.delivery(sent[-1]))["status"] == "failed"
    return sent


async def all_over(kabar: Kabar) -> None:
    """Nothing is under way, still to be planned or still to be told."""

    async def over() -> bool:
        busy = {"deliveries": {"status": UNDER_WAY}, "notifications": {"status": "accepted"}}
        untold = {"announce_at": {"$exists": True}}
        return not any(kabar.database[name].find_one({"$or": [query, untold]}) for name, query in busy.items())

    await eventually(over, seconds=60)


async def she_answers(kabar: Kabar) -> None:
    """The survey, something, and that she wants no more."""
    for number, text in enumerate(("5", "Halo, saya Zulaikha, zamrud", "Stop"), start=7_100):
        await kabar.sandbox.receive_message("fonnte", sender=HER, text=text, inbox_id=number)

    async def heard() -> bool:
        rated = kabar.database["tickets"].count_documents({"_id": "T-71", "rating": 5})
        return bool(rated and kabar.database["suppressions"].count_documents({"_id": HER}))

    await eventually(heard, seconds=20)
    for provider in ("fonnte", "wablas"):
        await kabar.sandbox.unsubscribe_webhooks(provider)


async def an_envelope_about_her_is_parked(kabar: Kabar) -> None:
    body = {"event_id": "71", "occurred_at": "no moment", "id": "C-71", "name": NAME, "phone": "+62 812-0000-0047"}
    await publish(kabar, "customer.updated", json.dumps(body).encode())

    async def parked() -> bool:
        return kabar.database["parked_envelopes"].count_documents({"body": {"$regex": NAME}}) == 1

    await eventually(parked, seconds=20)


async def figures(kabar: Kabar) -> tuple[dict[str, Any], Counter[tuple[Any, ...]]]:
    """What the statistics say, whenever they are asked, and what they are made of."""
    asked = await kabar.get(STATS)
    said = {name: value for name, value in asked.items() if name not in {"since", "until", "details"}}
    said["details"] = sorted((one["notification_type"], one["count"]) for one in asked["details"])
    return said, Counter(tuple(one.get(name) for name in FIELDS) for one in await kabar.stored())


async def lasting_figures(kabar: Kabar) -> tuple[dict[str, Any], Counter[tuple[Any, ...]]]:
    """Once what the providers told last has been heeded."""
    seen: list[tuple[dict[str, Any], Counter[tuple[Any, ...]]]] = [({}, Counter())]

    async def same_again() -> tuple[dict[str, Any], Counter[tuple[Any, ...]]] | None:
        await asyncio.sleep(0.5)
        seen.append(await figures(kabar))
        return seen[-1] if seen[-1] == seen[-2] and not await queued(kabar) else None

    return await eventually(same_again, seconds=30)


async def erased(kabar: Kabar, **named: str) -> dict[str, Any]:
    asked = await kabar.http.post("/api/erasures", json=named)
    assert asked.status_code == 202, asked.text

    async def done() -> dict[str, Any] | None:
        state = await kabar.get(f"/api/erasures/{asked.json()['erasure_id']}")
        return state if state["status"] == "done" else None

    return await eventually(done, seconds=60)


async def test_somebody_who_wants_to_be_forgotten_is(told: Kabar) -> None:
    kabar = told
    began = datetime.now(UTC)
    await she_is_told_everything(kabar)
    await an_envelope_about_her_is_parked(kabar)
    await she_answers(kabar)
    later = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    otp = {"type": "otp", "to": HER, "data": {"code": "654321", "purpose": "zamrud"}, "send_at": later}
    scheduled = await posted(kabar, "/api/notifications", otp)  # who opted out gets these all the same
    await all_over(kabar)
    said, counted = await lasting_figures(kabar)
    assert set(mentioned(kabar)) >= {
        "customers", "tickets", "invoices", "notifications", "deliveries", "parked_envelopes", "suppressions", "wishes",
        "webhook_messages",
    }  # fmt: skip
    environment = kabar.access.environment() | {"COLUMNS": "120"}
    asked = await asyncio.to_thread(installed, "erase", "--phone", HER, environment=environment, typed="no\n")
    assert (asked.code, "Nothing was done." in asked.err) == (1, True), asked.err
    assert re.search(r"Erase 6281\*{6}047 for good: .*1 deliveries cancelled", asked.err)

    done = await erased(kabar, phone="0812-0000-0047")

    assert mentioned(kabar) == {}
    assert await queued(kabar) == {}
    assert (done["counts"]["directory_rows"], done["counts"]["deliveries_cancelled"]) == (1, 1)
    assert (await kabar.delivery(scheduled))["code"] == "ERASED"
    assert (await kabar.http.get("/api/deliveries", params={"recipient": HER})).json()["items"] == []
    now_said, now_counted = await figures(kabar)
    assert now_counted == counted - Counter([("otp", "scheduled", "whatsapp", None, False)]) + Counter(
        [("otp", "cancelled", "whatsapp", None, False)]
    )
    for part in ("details", "by_channel", "by_provider"):
        assert now_said[part] == said[part]
    assert {name: number for name, number in now_said["summary"].items() if name not in {"waiting", "cancelled"}} == {
        name: number for name, number in said["summary"].items() if name not in {"waiting", "cancelled"}
    }
    assert (await kabar.get("/admin/conservation"))["difference"] == 0
    refused = await kabar.http.post("/api/whatsapp-notifications/welcome/C-71", json={})
    assert refused.status_code == 422
    assert (await kabar.get(f"/api/suppressions/{HER}"))["reason"] == "opt_out"
    await her_past_stays_away(kabar, began)
    assert not words_in(logged(kabar))
    await she_comes_back(kabar)


async def her_past_stays_away(kabar: Kabar, began: datetime) -> None:
    """What another service told before, under whatever identity, makes nobody of her."""
    await registered(kabar, "evt-privacy-old", began)

    async def left_out() -> bool:
        return "evt-privacy-old" in logged(kabar)

    await eventually(left_out, seconds=20)
    assert mentioned(kabar) == {}


async def she_comes_back(kabar: Kabar) -> None:
    """A new contract makes a new row; still she gets nothing but what people get who opted out."""
    await registered(kabar, "evt-privacy-new", datetime.now(UTC))

    async def confirmed() -> dict[str, Any] | None:
        return kabar.database["deliveries"].find_one({"recipient": HER, "type": "registration_confirmation"})

    confirmation = await eventually(confirmed, seconds=20)
    assert (confirmation["status"], confirmation["code"]) == ("suppressed", "SUPPRESSED")
    assert confirmation["reason"].startswith("opted out on ")
    assert (await kabar.get("/api/directory/customers/C-79"))["name"] == NAME
    otp = await posted(kabar, "/api/notifications", {"type": "otp", "to": HER, "data": {"code": "123456"}})
    assert await kabar.settled(otp, 1, seconds=20) == {"sent": 1}
    assert not words_in(logged(kabar))


async def after_days(kabar: Kabar, days: float) -> Tally:
    now = datetime.now(UTC) + timedelta(days=days)
    async with connect(kabar.access.mongodb_url, name="test") as mongo:
        job = RemoveOldContents(MongoOldContents(mongo), HandClock(now), 90)
        return await job.run(Firing("retention", now, now.date()))


async def test_after_the_retention_nothing_tells_who_was_told_what(told: Kabar) -> None:
    kabar = told
    await kabar.http.delete(f"/api/suppressions/{HER}")
    sent = await she_is_told_everything(kabar)
    before = await lasting_figures(kabar)
    assert (await after_days(kabar, 89.9)).dispatched == 0
    as_told = {name for name, holding in HOLDINGS.items() if holding.stays.startswith("as long as it is told")}

    async def forgotten() -> bool:
        await after_days(kabar, 90.1)  # what portals are still to be told of waits for the next night
        return set(mentioned(kabar)) <= as_told | {"tickets", "invoices"}  # hers are open still

    await eventually(forgotten, seconds=20)
    assert await figures(kabar) == before
    assert (await kabar.get("/admin/conservation"))["difference"] == 0
    for notification_id in sent:
        assert (await kabar.get(f"/api/notifications/{notification_id}"))["contents_removed_at"]


async def test_every_collection_there_is_is_written_down(kabar: Kabar) -> None:
    names = await asyncio.to_thread(kabar.database.list_collection_names)
    assert not set(names) - set(HOLDINGS)
