"""What the client can do for operators, against the real API; both clients do the same."""

import inspect
from pathlib import Path

import pytest

from kabar_client import AsyncKabar, Kabar, Missing, Refused
from tests.support.api import Api, token
from tests.support.stored_deliveries import stored_delivery, stored_sender


def test_both_clients_can_do_the_same() -> None:
    can = [{name for name, _ in inspect.getmembers(one) if not name.startswith("_")} for one in (Kabar, AsyncKabar)]
    assert can[0] == can[1]


async def test_senders_are_looked_at_paused_and_resumed(api: Api) -> None:
    api.rows["senders"].insert_one(stored_sender("fonnte-1", quota_remaining=880))
    with Kabar(api.url, token=token("noc")) as kabar:
        (found,) = kabar.senders()
        assert (found.id, found.status, found.quota.remaining, set(found.usage)) == (
            "fonnte-1",
            "available",
            880,
            {"minute", "hour", "day"},
        )
        assert kabar.pause_sender("fonnte-1").status == "paused"
    async with AsyncKabar(api.url, token=token("noc")) as kabar_:
        assert [one.status for one in await kabar_.senders()] == ["paused"]
        assert (await kabar_.resume_sender("fonnte-1")).status == "available"
        with pytest.raises(Missing):
            await kabar_.pause_sender("fonnte-9")


async def test_the_queue_is_looked_at_and_cleared(api: Api) -> None:
    api.rows["deliveries"].insert_many([stored_delivery(to=f"62812000000{n:02}") for n in range(3)])
    async with AsyncKabar(api.url, token=token("admin")) as kabar:
        queue = await kabar.queue()
        assert (queue.queue_length, queue.by_priority["normal"], len(queue.next_messages)) == (3, 3, 3)
    with Kabar(api.url, token=token("admin")) as blocking:
        assert blocking.clear_queue().cleared == 3
        assert blocking.queue().queue_length == 0


async def test_dead_deliveries_are_listed_retried_and_discarded(api: Api) -> None:
    stored = [stored_delivery("failed", to=f"628120001{n:04}", code="transport") for n in range(120)]
    api.rows["deliveries"].insert_many(stored)
    with Kabar(api.url, token=token("supervisor")) as kabar:
        ids = [one.id for one in kabar.dead_deliveries()]
        assert len(ids) == 120
        assert kabar.retry_dead(ids[:2]).retried == 2
    async with AsyncKabar(api.url, token=token("supervisor")) as kabar_:
        assert (await kabar_.discard_dead(ids[1:4])).model_dump() == {"success": True, "discarded": 2, "skipped": 1}
        assert len([one async for one in kabar_.dead_deliveries()]) == 116


def test_a_test_message_and_a_preview(api: Api) -> None:
    with Kabar(api.url, token=token("admin")) as kabar:
        assert kabar.send_test("6281200000001", "Halo").deliveries == 1
        assert (
            kabar.send_test(idempotency_key="k-1").notification_id
            == kabar.send_test(idempotency_key="k-1").notification_id
        )
        assert "INV" in kabar.preview_template("payment_reminder").whatsapp.text


async def test_a_file_is_read_while_it_is_sent(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_text("id;name;phone\n" + "".join(f"S-{n};Sari {n};0812{n:08}\n" for n in range(10_000)))
    sent: list[int] = []
    with Kabar(api.url, token=token("admin")) as kabar:
        told = kabar.put_csv("customers", file, sent=sent.append)
        assert (told.read, told.new, told.refused) == (10_000, 10_000, 0)
        with pytest.raises(FileNotFoundError):
            kabar.put_csv("customers", tmp_path / "none.csv")
    assert (sent[0], sum(sent), len(sent) > 3) == (0, file.stat().st_size, True)
    async with AsyncKabar(api.url, token=token("admin")) as kabar_:
        assert (await kabar_.put_csv("customers", file, dry_run=True)).unchanged == 10_000
        with pytest.raises(Refused):
            await kabar_.put_csv("shoes", file)
