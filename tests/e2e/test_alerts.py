"""A device that disconnects: administrators hear of it once through the other provider, and once when it is back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from local_stack.webhooks import tell_sandbox, webhook_addresses
from sandbox.control_client import AcceptedMessage
from tests.support.kabar import UNPACED, Kabar, eventually, running_kabar

ADMIN = "6281200000088"
SENDER = "fonnte-1"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def watched(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kabar]:
    """A Kabar with two schedulers that knows an administrator, and whose providers post webhooks."""
    settings = {**UNPACED, "KABAR_REPLICAS_SCHEDULER": "2"}
    async with running_kabar(tmp_path_factory.mktemp("watched"), settings) as kabar:
        row = {"id": "S-ADMIN", "name": "Sari", "role": "admin", "phone": ADMIN}
        assert (await kabar.http.put("/api/directory/staff/S-ADMIN", json=row)).is_success
        assert kabar.access.sandbox_url is not None
        tell_sandbox(kabar.access.sandbox_url, webhook_addresses(kabar.access, None))
        yield kabar


async def told(kabar: Kabar, count: int) -> list[AcceptedMessage]:
    """What administrators were told so far, at least so much."""
    found = await kabar.sandbox.accepted(recipient=ADMIN, at_least=count, wait_seconds=60)
    assert len(found) == count, [message.text for message in found]
    return found


async def looked_at_again(kabar: Kabar, *, seconds: float = 12) -> None:
    """Somebody has watched for so long from now on."""
    until = datetime.now(UTC) + timedelta(seconds=seconds)

    async def watching() -> bool:
        lease = await asyncio.to_thread(kabar.database["leases"].find_one, {"_id": "watch"})
        return lease is not None and lease["until"] > until

    await eventually(watching, seconds=seconds + 30)


async def bother(kabar: Kabar) -> None:
    """Checks, messages and schedulers that die add nothing."""
    for _ in range(3):
        assert (await kabar.http.post(f"/api/senders/{SENDER}/check")).is_success
    await kabar.accept(to=["6281200000051"], message="Halo")
    for name in ("scheduler-1", "scheduler-2"):
        kabar.kill(name)
    await looked_at_again(kabar)


async def test_a_device_that_disconnects_while_messages_go_is_told_once_and_once_when_it_is_back(
    watched: Kabar,
) -> None:
    people = [f"62812000020{number:02d}" for number in range(60)]
    first = await watched.accept(to=people[:30], message="Halo")
    await watched.sandbox.disconnect("fonnte", device=SENDER)
    second = await watched.accept(to=people[30:], message="Halo")

    [begun] = await told(watched, 1)
    assert begun.provider == "wablas"
    assert f"perangkat {SENDER}" in begun.text
    for accepted in (first, second):
        ended = await watched.settled(accepted["notification_id"], 30, seconds=30)
        assert set(ended) <= {"sent", "delivered", "read"}, ended
    shown = await watched.get(f"/api/senders/{SENDER}")
    assert shown["device"]["connected"] is False
    await bother(watched)
    await told(watched, 1)

    await watched.sandbox.reconnect("fonnte", device=SENDER)
    _, over = await told(watched, 2)
    assert "teratasi" in over.text
    await bother(watched)
    await told(watched, 2)
    [alert] = watched.database["alerts"].find()
    assert (alert["cause"], alert["status"], set(alert["told"])) == (
        f"device:{SENDER}",
        "cleared",
        {"raised", "cleared"},
    )


async def test_a_quota_that_a_check_finds_low_is_told_through_the_other_provider_and_again_when_it_was_topped_up(
    watched: Kabar,
) -> None:
    before = len(await watched.sandbox.accepted(recipient=ADMIN))
    await watched.sandbox.set_quota("fonnte", 40, device=SENDER)
    await eventually(lambda: checked(watched, 40), seconds=20)
    begun = (await told(watched, before + 1))[-1]
    assert (begun.provider, "Sisa kuota: *40*" in begun.text) == ("wablas", True)
    await watched.sandbox.set_quota("fonnte", 5_000, device=SENDER)
    await eventually(lambda: checked(watched, 5_000), seconds=20)
    over = (await told(watched, before + 2))[-1]
    assert "Sisa kuota: *5.000* dari 5.000" in over.text


async def checked(kabar: Kabar, remaining: int) -> bool:
    answer = await kabar.http.post(f"/api/senders/{SENDER}/check")
    return answer.is_success and answer.json()["quota"]["remaining"] == remaining
