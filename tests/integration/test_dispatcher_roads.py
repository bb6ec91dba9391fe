"""What becomes of notifications in the running dispatcher."""

from common.contracts.vocabulary import FailureClass
from tests.support.dispatching.gateway import Answer, Call, failed
from tests.support.dispatching.notifications import notification
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World


async def test_a_notification_is_planned_sent_and_told_of(dispatching: World) -> None:
    process = await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    await dispatching.accept(notification())
    (delivery,) = await dispatching.settled(1)
    assert delivery["status"] == "sent"

    async def told() -> list[dict[str, object]]:
        return process.events("delivery.settled")

    (line,) = await until(told)
    assert (line["delivery_id"], line["status"], line["provider"]) == (delivery["_id"], "sent", "fonnte")
    assert len(gateway.calls) == 1
    assert [entry["status"] for entry in delivery["timeline"]] == ["queued", "sending", "sent"]
    assert "lane" not in delivery
    assert "wake_at" not in delivery


async def test_a_failure_goes_to_the_next_provider_at_once_and_both_attempts_are_kept(dispatching: World) -> None:
    async def refuses(_: Call) -> Answer:
        return failed(FailureClass.TRANSPORT, "connection refused")

    await dispatching.dispatcher()
    await dispatching.gateway("fonnte", refuses)
    wablas = await dispatching.gateway("wablas")
    await dispatching.accept(notification())
    (delivery,) = await dispatching.settled(1)
    assert (delivery["status"], delivery["failover"], delivery["possible_duplicate"]) == ("sent", True, False)
    assert [(a["provider"], a["outcome"], a["error"]) for a in delivery["attempts"]] == [
        ("fonnte", "failed", "connection refused"),
        ("wablas", "succeeded", None),
    ]
    assert [call.number for call in wablas.calls] == [2]
