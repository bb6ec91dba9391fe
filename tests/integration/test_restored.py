"""Yesterday's database is brought back: nothing that was sent since goes out a second time by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from common.mongo.connection import Mongo
from tests.support.api import Api, assert_error, ready, running_api, wait_until
from tests.support.command_line import ran
from tests.support.dispatching.gateway import ScriptedGateway, scripted_gateway, takes_everything
from tests.support.dispatching.notifications import notification, recipient
from tests.support.dispatching.world import World
from tests.support.pages import HOME, browser
from tests.support.stored_deliveries import past_attempt, stored_delivery, stored_notification, stored_sender

Documents = dict[str, list[dict[str, Any]]]
NOW = datetime.now(UTC).replace(microsecond=0)
LONG_AGO = NOW - timedelta(hours=1)


async def everything(mongo: Mongo) -> Documents:
    return {name: await mongo[name].find({}).to_list(None) for name in ("notifications", "deliveries", "senders")}


async def put_back(mongo: Mongo, backup: Documents) -> None:
    for name, documents in backup.items():
        await mongo[name].delete_many({})
        if documents:
            await mongo[name].insert_many(documents)


@asynccontextmanager
async def sending(world: World) -> AsyncIterator[ScriptedGateway]:
    """A gateway and a dispatcher that uses it, for a while."""
    async with scripted_gateway(
        "fonnte", rabbitmq_url=world.rabbitmq_url, mongo=world.mongo, script=takes_everything,
        takes=True, beats=True, max_text_chars=60_000,
    ) as gateway:  # fmt: skip
        dispatcher = await world.dispatcher()
        yield gateway
        dispatcher.stop()


async def test_what_was_sent_after_the_backup_is_held_and_a_person_decides(dispatching: World, tmp_path: Path) -> None:
    planned, unplanned = notification(2), notification([{"to": recipient(7)}])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    later = notification([{"to": recipient(9)}], send_at=tomorrow, expires_at=tomorrow + timedelta(days=1))
    planner = await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.accept(planned, later)
    await dispatching.becomes(2, status="queued")
    await dispatching.becomes(1, status="scheduled")
    planner.stop()
    await dispatching.accept(unplanned, announce=False)
    backup = await everything(dispatching.mongo)
    async with sending(dispatching) as gateway:
        await dispatching.becomes(3, status="sent")
    assert len(gateway.calls) == 3

    await put_back(dispatching.mongo, backup)
    with running_api(dispatching.rabbitmq_url, dispatching.mongodb_url, tmp_path / "api.log") as api:
        wait_until(lambda: ready(api), "api-gateway is not ready")
        async with api.client() as client:
            answer = await client.post("/admin/restored")
            assert answer.status_code == 200, answer.text
            held = answer.json()
            assert (held["deliveries"], held["notifications"], held["more"]) == (2, 1, False)
            async with sending(dispatching) as gateway:
                await dispatching.becomes(3, status="unknown")
                assert (await client.get("/admin/conservation")).json()["difference"] == 0
                [told] = (await client.get(f"/api/deliveries?notification_id={unplanned['_id']}")).json()["items"]
                assert "restored" in told["reason"]
                assert gateway.calls == []
                retried = await client.post(f"/api/deliveries/{told['id']}/retry")
                assert retried.status_code == 200, retried.text
                [sent] = await dispatching.becomes(1, status="sent")
                assert (sent["_id"], sent["possible_duplicate"]) == (told["id"], True)
                assert [call.delivery_id for call in gateway.calls] == [told["id"]]
                assert await dispatching.count(status="scheduled") == 1


async def restored(client: httpx.AsyncClient) -> dict[str, Any]:
    answer = await client.post("/admin/restored")
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_an_attempt_under_way_may_have_arrived_and_can_be_begun_by_nobody_any_more(api: Api) -> None:
    attempt = {
        "number": 2, "claim": "claim-1", "provider": "fonnte", "sender": "fonnte-1", "state": "requested",
        "requested_at": LONG_AGO, "deadline": LONG_AGO,
    }  # fmt: skip
    under_way = stored_delivery(
        "sending", attempt=attempt, attempts=[past_attempt()], attempts_made=2, wake_at=LONG_AGO, announce_at=LONG_AGO
    )
    waits_for_proof = stored_delivery("sending", to="6281200000002", wake_at=LONG_AGO, proof_at=LONG_AGO)
    over = stored_delivery("sent", to="6281200000003")
    api.rows["deliveries"].insert_many([under_way, waits_for_proof, over])
    try:
        async with api.client() as client:
            assert (await restored(client))["deliveries"] == 2
            assert (await restored(client))["deliveries"] == 0
            [entry] = (await client.get("/api/audit-log?action=database.restored&limit=1")).json()["items"]
            assert entry["outcome"] == "done"
        found = api.rows["deliveries"].find_one({"_id": under_way["_id"]})
        assert found is not None
        assert (found["status"], found["code"], found["attempt"]) == ("unknown", "UNKNOWN", None)
        assert [(one["number"], one["outcome"]) for one in found["attempts"]] == [(1, "failed"), (2, "unknown")]
        assert found["timeline"][-1]["revision"] == found["revision"] == under_way["revision"] + 1
        assert found["announce_at"] == LONG_AGO
        assert {"lane", "wake_at", "proof_at"}.isdisjoint(found)
        assert api.rows["deliveries"].find_one({"_id": over["_id"]}) == over
    finally:
        api.rows["deliveries"].delete_many({})


async def test_who_signed_out_since_the_backup_is_not_in_again(api: Api) -> None:
    async with browser(api, "admin") as visitor:
        backup, cookies = list(api.rows["sessions"].find()), dict(visitor.http.cookies)
        assert (await visitor.submit(f"{HOME}/sign-out")).status_code == 303
    api.rows["sessions"].insert_many(backup)
    async with httpx.AsyncClient(base_url=api.url, cookies=cookies, headers={"Accept": "text/html"}) as copied:
        assert (await copied.get(HOME)).status_code == 200
        async with api.client() as client:
            await restored(client)
        assert (await copied.get(HOME)).status_code == 303


async def test_what_jobs_had_to_do_meanwhile_is_not_made_up_for(api: Api) -> None:
    run = {"job": "dunning", "due_at": LONG_AGO, "errors": [], "lease_until": LONG_AGO, "finished_at": None}
    api.rows["jobs"].insert_one({"_id": "dunning", "since": LONG_AGO})
    api.rows["job_runs"].insert_many(
        [{"_id": "run_1", "status": "requested", **run}, {"_id": "run_2", "status": "running", **run}]
    )
    api.rows["job_requests"].insert_many(
        [
            {"_id": "asked", "wake_at": LONG_AGO, "request": "{}", "asked_at": LONG_AGO},
            {"_id": "handed over", "asked_at": LONG_AGO},
        ]
    )
    try:
        async with api.client() as client:
            held = await restored(client)
        assert (held["runs"], held["requests"]) == (2, 1)
        job = api.rows["jobs"].find_one({"_id": "dunning"})
        assert job is not None
        assert job["since"] > LONG_AGO
        assert [one["status"] for one in api.rows["job_runs"].find().sort("_id", 1)] == ["missed", "failed"]
        assert api.rows["job_requests"].find_one({"_id": "asked"}) == {"_id": "asked", "asked_at": LONG_AGO}
    finally:
        for name in ("jobs", "job_runs", "job_requests"):
            api.rows[name].delete_many({})


async def test_it_is_refused_while_anybody_could_send(api: Api) -> None:
    async with api.client() as client:
        for name, row in (
            ("senders", stored_sender("fonnte-1", gateway_seen_at=datetime.now(UTC))),
            ("heartbeats", {"_id": "scheduler-1", "service": "scheduler", "seen_at": datetime.now(UTC)}),
        ):
            api.rows[name].insert_one(row)
            refused = assert_error(await client.post("/admin/restored"), 409, "CONFLICT")
            assert row["_id"] in refused["error"]
            api.rows[name].delete_many({})


def test_the_command_line_asks_and_goes_on_until_all_is_held(api: Api) -> None:
    of = stored_notification(recipients=10_500)
    api.rows["deliveries"].insert_many(
        [stored_delivery(notification=of, to=f"62812{number:08d}") for number in range(10_500)]
    )
    try:
        declined = ran(api, "restored")
        assert (declined.code, api.rows["deliveries"].count_documents({"status": "unknown"})) == (2, 0)
        told = ran(api, "restored", "--yes")
        assert (told.code, "Held: 10,500 deliveries" in told.out) == (0, True), told
        assert api.rows["deliveries"].count_documents({"status": "unknown"}) == 10_500
        assert ran(api, "restored", "--yes", role="noc").code == 4
    finally:
        api.rows["deliveries"].delete_many({})
