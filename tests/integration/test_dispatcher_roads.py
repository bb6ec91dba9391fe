"""What becomes of notifications in the running dispatcher."""

from tests.support.dispatching.notifications import notification
from tests.support.dispatching.world import World


async def test_a_notification_is_planned_sent_and_told_of(dispatching: World) -> None:
    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    await dispatching.accept(notification())
    (delivery,) = await dispatching.settled(1)
    assert delivery["status"] == "sent"
    assert len(gateway.calls) == 1
    assert [entry["status"] for entry in delivery["timeline"]] == ["queued", "sending", "sent"]
    assert "lane" not in delivery
    assert "wake_at" not in delivery
