"""Versions of templates: immutable, each number taken once; built-in texts follow the release unless a person wrote."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from common.catalogue.texts import Texts, builtin_texts, texts_of
from common.contracts.vocabulary import NotificationType
from common.mongo.connection import Mongo, connect
from common.mongo.templates import NoTemplate, Templates
from tests.support.api import until

OLD = {
    "_id": "welcome:1",
    "type": "welcome",
    "version": 1,
    "whatsapp": "Selamat datang di rilis sebelumnya.",
    "email_subject": None,
    "email_text": None,
    "origin": "builtin",
    "created_by": "kabar",
    "created_at": datetime(2025, 11, 1, tzinfo=UTC),
}
OWN = Texts("Halo {{ name }}")


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        yield mongo


async def test_every_type_but_custom_has_a_first_version_after_seeding(mongo: Mongo) -> None:
    seeded = await Templates(mongo).seed()
    assert sorted(seeded) == sorted(f"{kind}:1" for kind in NotificationType if kind != "custom")
    for kind in NotificationType:
        if kind is not NotificationType.CUSTOM:
            assert texts_of(await Templates(mongo).get(f"{kind}:1")) == builtin_texts(kind)


async def test_seeding_again_changes_nothing(mongo: Mongo) -> None:
    await Templates(mongo).seed()
    assert await Templates(mongo).seed() == []


async def test_many_processes_seeding_at_once_store_each_text_once(mongo: Mongo) -> None:
    await mongo["templates"].insert_one(dict(OLD))
    seeded = await asyncio.gather(*(Templates(mongo).seed() for _ in range(8)))
    assert await mongo["templates"].count_documents({}) == len(NotificationType)  # none of custom, two of welcome
    assert [identity for one in seeded for identity in one].count("welcome:2") == 1


async def test_a_release_with_another_text_makes_the_next_version(mongo: Mongo) -> None:
    await mongo["templates"].insert_one(dict(OLD))
    await Templates(mongo).seed()
    current = await Templates(mongo).current("welcome")
    assert (current["_id"], current["origin"]) == ("welcome:2", "builtin")
    assert (await Templates(mongo).get("welcome:1"))["whatsapp"] == OLD["whatsapp"]


async def test_a_release_does_not_replace_what_a_person_published(mongo: Mongo) -> None:
    await mongo["templates"].insert_one(dict(OLD))
    await Templates(mongo).publish("welcome", OWN, by="sari")
    await Templates(mongo).seed()
    assert (await Templates(mongo).current("welcome"))["whatsapp"] == OWN.whatsapp


async def test_a_person_who_goes_back_to_the_built_in_text_gets_those_of_later_releases(mongo: Mongo) -> None:
    builtin = builtin_texts(NotificationType.WELCOME)
    assert builtin is not None
    await Templates(mongo).publish("welcome", OWN, by="sari")
    assert (await Templates(mongo).publish("welcome", builtin, by="sari"))["origin"] == "builtin"


async def test_publishers_at_once_all_get_a_version_of_their_own(mongo: Mongo) -> None:
    texts = [Texts(f"Halo nomor {number}") for number in range(10)]
    published = await asyncio.gather(*(Templates(mongo).publish("promo-akhir", one, by="sari") for one in texts))
    assert sorted(one["version"] for one in published) == list(range(1, 11))
    stored = {one["_id"]: one["whatsapp"] for one in await Templates(mongo).versions("promo-akhir")}
    assert stored == {one["_id"]: one["whatsapp"] for one in published}


async def test_publishing_what_is_current_changes_nothing(mongo: Mongo) -> None:
    first = await Templates(mongo).publish("promo-akhir", OWN, by="sari")
    again = await Templates(mongo).publish("promo-akhir", OWN, by="budi")
    assert again["_id"] == first["_id"]
    assert again["created_by"] == "sari"


async def test_who_publishes_sees_his_version_at_once(mongo: Mongo) -> None:
    templates = Templates(mongo)
    await templates.current("welcome")
    published = await templates.publish("welcome", OWN, by="sari")
    assert (await templates.current("welcome"))["_id"] == published["_id"] == "welcome:2"


async def test_another_process_sees_a_version_a_second_later_at_most(mongo: Mongo) -> None:
    here, there = Templates(mongo), Templates(mongo)
    assert (await there.current("welcome"))["version"] == 1
    await here.publish("welcome", OWN, by="sari")

    async def seen() -> bool:
        return (await there.current("welcome"))["version"] == 2

    await until(seen, "the new version is not seen", seconds=2)


async def test_a_type_nobody_has_seeded_yet_has_its_text_when_it_is_asked_for(mongo: Mongo) -> None:
    found = await asyncio.gather(*(Templates(mongo).current("otp") for _ in range(5)))
    assert {one["_id"] for one in found} == {"otp:1"}
    assert (await Templates(mongo).get("otp:1"))["origin"] == "builtin"


@pytest.mark.parametrize("name", ["custom", "promo-akhir"])
async def test_a_name_nobody_has_published_has_no_template(mongo: Mongo, name: str) -> None:
    with pytest.raises(NoTemplate, match=name):
        await Templates(mongo).current(name)
    with pytest.raises(NoTemplate, match=f"{name}:1"):
        await Templates(mongo).get(f"{name}:1")


async def test_a_name_is_found_once_it_is_published_although_it_was_asked_for_before(mongo: Mongo) -> None:
    templates = Templates(mongo)
    with pytest.raises(NoTemplate):
        await templates.current("promo-akhir")
    await Templates(mongo).publish("promo-akhir", OWN, by="sari")
    assert (await templates.current("promo-akhir"))["version"] == 1


async def test_names_are_listed_in_order_with_their_newest_version(mongo: Mongo) -> None:
    templates = Templates(mongo)
    for text in ("a", "b", "c"):
        await templates.publish("promo-akhir", Texts(text), by="sari")
    await templates.seed()
    names = [one["type"] for one in await templates.newest()]
    assert names == sorted(names)
    assert len(names) == len(NotificationType)
    (one,) = await templates.newest(after="promo", limit=1)
    assert (one["type"], one["version"]) == ("promo-akhir", 3)
