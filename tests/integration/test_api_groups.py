"""WhatsApp groups: kept by admins, seen by all, found by asking providers, written to as each provider calls them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api_gateway.adapters.mongo_audit_log import MongoAuditLog
from api_gateway.adapters.mongo_groups import MongoGroupLookups
from api_gateway.adapters.mongo_groups import MongoGroups as KeptGroups
from api_gateway.application.audit_changes import AuditChanges
from api_gateway.application.keep_groups import KeepGroups
from api_gateway.application.sync_groups import SyncGroups
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Conflicting, Limited, Missing, Unavailable, unavailable
from common.contracts.documents import GroupDocument
from common.contracts.events import EnquiriesRequested
from common.contracts.vocabulary import Role
from common.messaging.broker import Envelope
from common.mongo.connection import connect
from common.testing.clock import HandClock
from common.topology.declarations import enquiries_queue
from dispatcher.adapters.mongo_group_ids import MongoGroupIds
from gateway.adapters.mongo_groups import MongoGroups
from gateway.domain.groups import FoundGroup
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error
from tests.support.bus import connected, emptied
from tests.support.dispatching.memory import StoppedClock

GROUPS = "/api/whatsapp-groups"
HERE, THERE = "120363000000000001@g.us", "120363000000000002@g.us"


@pytest.fixture(autouse=True)
def _no_groups(api: Api) -> None:
    for name in ("groups", "group_lookups", "senders", "audit_log"):
        api.rows[name].delete_many({})


def body(**changed: Any) -> dict[str, Any]:
    return {"name": "Manajemen", "purpose": "management", "group_ids": {"fonnte": HERE}, **changed}


async def test_a_group_is_added_changed_shown_and_removed(api: Api) -> None:
    async with api.client() as client:
        added = await client.post(GROUPS, json=body(group_ids={"fonnte": HERE, "wablas": "120363000000000002"}))
        assert added.status_code == 201, added.text
        identity = added.json()["id"]
        assert added.json()["group_ids"] == {"fonnte": HERE, "wablas": THERE}
        changed = await client.patch(f"{GROUPS}/{identity}", json={"purpose": "team", "active": False})
        assert (changed.json()["purpose"], changed.json()["active"]) == ("team", False)
        assert (await client.get(f"{GROUPS}/{identity}")).json()["name"] == "Manajemen"
        assert [one["id"] for one in (await client.get(GROUPS)).json()["items"]] == [identity]
        assert (await client.delete(f"{GROUPS}/{identity}")).status_code == 200
        assert_error(await client.get(f"{GROUPS}/{identity}"), 404, "NOT_FOUND")
    actions = [one["action"] for one in api.rows["audit_log"].find({"targets": identity})]
    assert sorted(actions) == ["group.add", "group.change", "group.remove"]


async def test_everybody_sees_groups_and_only_admins_what_they_are_called_and_change_them(api: Api) -> None:
    async with api.client() as admin, api.client("cs") as clerk:
        identity = (await admin.post(GROUPS, json=body())).json()["id"]
        seen = (await clerk.get(f"{GROUPS}/{identity}")).json()
        assert HERE not in str(seen)
        assert_error(await clerk.post(GROUPS, json=body()), 403, "FORBIDDEN")
        assert_error(await clerk.delete(f"{GROUPS}/{identity}"), 403, "FORBIDDEN")


async def test_the_same_key_adds_one_group_and_no_two_have_the_same_name_at_a_provider(api: Api) -> None:
    async with api.client() as client:
        key = {"Idempotency-Key": "group-1"}
        one, two = [await client.post(GROUPS, json=body(), headers=key) for _ in range(2)]
        assert one.json() == two.json()
        assert_error(await client.post(GROUPS, json=body()), 409, "CONFLICT")


async def test_a_change_says_whether_the_name_is_anothers_or_the_group_is_gone(mongodb_url: str) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        groups = KeptGroups(mongo)
        keep = KeepGroups(groups, AuditChanges(MongoAuditLog(mongo), StoppedClock()), StoppedClock())
        itself = Caller("tester", Role.ADMIN)
        for identity, name in (("grp_1", HERE), ("grp_2", THERE)):
            await keep.add(identity, body(group_ids={"fonnte": name}, active=True), itself)
        with pytest.raises(Conflicting):
            await keep.change("grp_2", {"group_ids": {"fonnte": HERE}}, itself)
        with pytest.raises(Missing):
            await KeepGroups(RemovedMeanwhile(mongo), keep.audit, keep.clock).change("grp_2", {"name": "Tim"}, itself)


class RemovedMeanwhile(KeptGroups):
    """Somebody removes a group right after it was read."""

    async def get(self, group_id: str) -> GroupDocument | None:
        found = await super().get(group_id)
        await self.remove(group_id)
        return found


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"group_ids": {"fonnte": "6281200000001"}}, "INVALID_PHONE", "group_ids.fonnte"),
        ({"group_ids": {"fonnte": "x"}}, "INVALID_PHONE", "group_ids.fonnte"),
        ({"group_ids": {}}, "VALIDATION_ERROR", "group_ids"),
        ({"purpose": "party"}, "VALIDATION_ERROR", "purpose"),
        ({"name": ""}, "VALIDATION_ERROR", "name"),
        ({"colour": "red"}, "VALIDATION_ERROR", "colour"),
    ],
)
async def test_what_is_wrong_is_named(api: Api, change: dict[str, Any], code: str, field: str) -> None:
    async with api.client() as client:
        assert_error(await client.post(GROUPS, json=body(**change)), 422, code, field=field)


async def test_a_test_message_goes_to_the_group(api: Api) -> None:
    async with api.client() as client:
        identity = (await client.post(GROUPS, json=body())).json()["id"]
        sent = await client.post(f"{GROUPS}/{identity}/test", json={"message": "Uji"})
        assert sent.status_code == 202, sent.text
    stored = api.rows["notifications"].find_one({"_id": sent.json()["notification_id"]})
    assert stored is not None
    assert ([one["to"] for one in stored["audience"]], stored["providers"]) == ([HERE], ["fonnte"])


@asynccontextmanager
async def answering_gateway(api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo) -> AsyncIterator[list[str]]:
    """A gateway that is in two groups; keeps which senders it was asked for."""
    await emptied(rabbitmq.url)
    asked: list[str] = []
    async with connect(mongodb.url.replace("/kabar?", f"/{api.rows.name}?"), name="test") as mongo:
        groups = MongoGroups(mongo, provider="fonnte", clock=StoppedClock())

        async def answer(envelope: Envelope[EnquiriesRequested]) -> None:
            for sender in envelope.event.groups_of:
                asked.append(sender)
                await groups.ask(sender)
                await groups.found(sender, [FoundGroup(HERE, "Manajemen"), FoundGroup(THERE, "Tim Lapangan")])

        async with connected(rabbitmq.url, (enquiries_queue("fonnte"), EnquiriesRequested, answer)):
            yield asked


def sender(api: Api, identity: str = "fonnte-1") -> None:
    api.rows["senders"].insert_one(
        {
            "_id": identity,
            "provider": identity.partition("-")[0],
            "max_text_chars": 4096,
            "gateway_seen_at": datetime.now(UTC) + timedelta(minutes=5),
        }
    )


async def test_a_sync_stores_what_is_new_and_is_done_once_in_ten_minutes(
    api: Api, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo
) -> None:
    sender(api)
    async with answering_gateway(api, rabbitmq, mongodb) as asked, api.client() as client:
        await client.post(GROUPS, json=body(name="Kami", group_ids={"wablas": HERE}))
        answers = await asyncio.gather(*(client.post(f"{GROUPS}/sync", json={}) for _ in range(3)))
        done = [one for one in answers if one.status_code == 200]
        assert [one.json()["senders"][0]["found"] for one in done] == [2]
        refused = assert_error(next(one for one in answers if one.status_code != 200), 429, "SYNC_LIMIT_EXCEEDED")
        assert refused["reset_at"]
        listed = (await client.get(GROUPS)).json()["items"]
    assert asked == ["fonnte-1"]
    assert sorted((one["name"], one["purpose"]) for one in listed) == [
        ("Kami", "management"),
        ("Tim Lapangan", "other"),
    ]
    assert next(one for one in listed if one["name"] == "Kami")["group_ids"] == {"fonnte": HERE, "wablas": HERE}

    (done_entry,) = api.rows["audit_log"].find({"action": "group.sync", "outcome": "done"})
    assert done_entry["after"] == {"senders": {"fonnte-1": "done, 2 found"}}
    assert api.rows["audit_log"].count_documents({"action": "group.sync", "outcome": "refused"}) == 2


async def test_a_sync_without_a_sender_says_so_and_is_audited(api: Api) -> None:
    async with api.client() as client:
        assert_error(await client.post(f"{GROUPS}/sync", json={"provider": "wablas"}), 409, "NO_SENDER")
    (entry,) = api.rows["audit_log"].find({"action": "group.sync"})
    assert (entry["outcome"], entry["after"]) == ("refused", {"code": "NO_SENDER"})


class OneSender:
    """One whose gateway is there."""

    def __init__(self, clock: HandClock) -> None:
        self.clock = clock

    async def all(self) -> list[Any]:
        return [{"_id": "fonnte-1", "provider": "fonnte", "gateway_seen_at": self.clock.now()}]


class AwayBroker:
    async def groups(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:  # noqa: ARG002 - the port names it
        raise unavailable("RabbitMQ does not answer")


async def test_a_sync_that_never_reached_the_provider_may_be_repeated_after_half_a_minute(mongodb_url: str) -> None:
    clock, itself = HandClock(datetime(2025, 11, 15, 3, 0, tzinfo=UTC)), Caller("tester", Role.ADMIN)
    async with connect(mongodb_url, name="test") as mongo:
        audit = AuditChanges(MongoAuditLog(mongo), clock)
        sync = SyncGroups(MongoGroupLookups(mongo), AwayBroker(), OneSender(clock), audit, clock)
        with pytest.raises(Unavailable):
            await sync(None, itself)
        (entry,) = await mongo["audit_log"].find({"action": "group.sync"}).to_list(None)
        assert entry["outcome"] == "unknown"
        with pytest.raises(Limited) as limited:
            await sync(None, itself)
        assert limited.value.details["reset_at"] == clock.now() + timedelta(seconds=30)
        clock.advance(30)
        with pytest.raises(Unavailable):
            await sync(None, itself)
        await MongoGroups(mongo, provider="fonnte", clock=clock).ask("fonnte-1")
        with pytest.raises(Limited) as limited:
            await sync(None, itself)
        assert limited.value.details["reset_at"] == clock.now() + timedelta(minutes=10)


async def test_a_sync_leaves_a_name_that_a_person_gave(mongodb_url: str) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        given = {"fonnte": HERE, "wablas": THERE}
        await mongo["groups"].insert_one({"_id": "grp_1", "known_as": [HERE, THERE], "group_ids": given})
        await MongoGroups(mongo, provider="wablas", clock=StoppedClock()).found("wablas-1", [FoundGroup(HERE, "Tim")])
        (kept,) = await mongo["groups"].find().to_list(None)
        assert kept["group_ids"] == given


async def test_each_provider_is_asked_for_a_group_by_its_own_name(mongodb_url: str) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        await mongo["groups"].insert_one(
            {"_id": "grp_1", "known_as": [HERE, THERE], "group_ids": {"fonnte": HERE, "wablas": THERE}}
        )
        group_ids = MongoGroupIds(mongo)
        assert (await group_ids.at("wablas", [HERE]))[HERE] == THERE
        assert (await group_ids.at("fonnte", [HERE]))[HERE] == HERE
        assert await group_ids.at("third", [HERE]) == {}
        assert await group_ids.at("fonnte", ["120363000000000009@g.us"]) == {}
