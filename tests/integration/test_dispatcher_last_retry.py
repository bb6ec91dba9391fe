"""The round before giving up waits in the database, whoever is there to make it."""

from datetime import UTC, datetime, timedelta

from tests.support.dispatching.gateway import Answer, Call, failed
from tests.support.dispatching.notifications import notification
from tests.support.dispatching.world import World

SECONDS = 60
LAST_ROUND = {"WHATSAPP_MAX_RETRIES": "0", "KABAR_FAILED_RETRY_SECONDS": str(SECONDS)}


async def fails(_: Call) -> Answer:
    return failed()


async def test_it_is_made_once_and_on_time_though_every_dispatcher_died_meanwhile(dispatching: World) -> None:
    gateways = [await dispatching.gateway(provider, fails) for provider in ("fonnte", "wablas")]
    first = await dispatching.dispatcher(**LAST_ROUND)
    await dispatching.accept(notification())
    (waiting,) = await dispatching.becomes(retries=1)
    first.kill()
    assert (waiting["wake_at"] - waiting["timeline"][-1]["at"]).total_seconds() == SECONDS
    assert "for the last time, at 20" in waiting["timeline"][-1]["cause"]
    for _ in range(2):
        await dispatching.dispatcher(**LAST_ROUND)
    # A minute later:
    due = datetime.now(UTC) + timedelta(seconds=2)
    moved = {"$set": {"wake_at": due}, "$inc": {"revision": 1}}
    await dispatching.mongo["deliveries"].update_one({"_id": waiting["_id"]}, moved)
    (dead,) = await dispatching.settled(1)
    assert (dead["status"], dead["code"], dead["retries"]) == ("failed", "RETRY_FAILED", 1)
    assert [len(gateway.calls) for gateway in gateways] == [2, 2]
    again = dead["timeline"].index(waiting["timeline"][-1]) + 1
    assert dead["timeline"][again]["at"] >= due.replace(microsecond=due.microsecond // 1000 * 1000)


async def test_what_ends_before_it_is_never_sent(dispatching: World) -> None:
    gateways = [await dispatching.gateway(provider, fails) for provider in ("fonnte", "wablas")]
    dispatcher = await dispatching.dispatcher(**LAST_ROUND)
    await dispatching.accept(notification(validity=5))
    (over,) = await dispatching.settled(1)
    assert over["status"] == "expired"
    assert [len(gateway.calls) for gateway in gateways] == [1, 1]
    assert await dispatcher.metric("delivery_retry_total") == 0
