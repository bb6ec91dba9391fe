"""What operators change of a type's route holds a second later at most, and nobody overwrites what he has not seen."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import NotificationType, Priority
from common.kernel.failures import Outdated
from common.mongo.connection import Mongo, connect
from common.mongo.routes import Routes
from tests.support.api import until

WELCOME = NotificationType.WELCOME
AT = datetime(2025, 11, 15, tzinfo=UTC)


@pytest.fixture
async def mongo(emptied_mongodb_url: str) -> AsyncIterator[Mongo]:
    async with connect(emptied_mongodb_url, name="test") as mongo:
        yield mongo


async def change(routes: Routes, changes: dict[str, Any], revision: int, **more: Any) -> int:
    changed = await routes.change(WELCOME, changes, revision=revision, by="sari", at=AT, **more)
    return changed["revision"]


async def test_a_type_goes_by_its_default_until_somebody_changes_it(mongo: Mongo) -> None:
    assert await Routes(mongo).effective(WELCOME) == DEFINITIONS[WELCOME].route


async def test_a_change_is_merged_over_the_default(mongo: Mongo) -> None:
    routes = Routes(mongo)
    hours = {"begins": "08:00", "ends": "20:00"}
    await change(routes, {"priority": "high", "providers": ["wablas"], "hours": hours}, 0)
    route = await routes.effective(WELCOME)
    assert (route.priority, route.providers, route.hours) == (Priority.HIGH, ("wablas",), hours)
    assert route.on_unknown == DEFINITIONS[WELCOME].route.on_unknown


async def test_changes_add_up_and_can_be_taken_back_one_by_one(mongo: Mongo) -> None:
    routes = Routes(mongo)
    await change(routes, {"priority": "high"}, 0)
    assert await change(routes, {"dedupe_seconds": 60.0}, 1, reset=["priority"]) == 2
    route = await routes.effective(WELCOME)
    assert (route.priority, route.dedupe_seconds) == (DEFINITIONS[WELCOME].route.priority, 60.0)


async def test_another_process_sees_a_change_a_second_later_at_most(mongo: Mongo) -> None:
    here, there = Routes(mongo), Routes(mongo)
    assert (await there.effective(WELCOME)).enabled
    await change(here, {"enabled": False}, 0)
    assert not (await here.effective(WELCOME)).enabled

    async def seen() -> bool:
        return not (await there.effective(WELCOME)).enabled

    await until(seen, "the change is not seen", seconds=2)


@pytest.mark.parametrize("revision", [0, 1])
async def test_of_those_who_change_what_they_have_read_at_once_one_succeeds(mongo: Mongo, revision: int) -> None:
    if revision:
        await change(Routes(mongo), {"enabled": True}, 0)
    tries = (change(Routes(mongo), {"dedupe_seconds": float(number)}, revision) for number in range(8))
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(str(type(one).__name__) for one in results) == ["Outdated"] * 7 + ["int"]


async def test_a_change_decided_on_an_older_revision_is_refused(mongo: Mongo) -> None:
    await change(Routes(mongo), {"enabled": False}, 0)
    for revision in (0, 7):
        with pytest.raises(Outdated):
            await change(Routes(mongo), {"enabled": True}, revision)
    assert not (await Routes(mongo).effective(WELCOME)).enabled
