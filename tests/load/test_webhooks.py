"""Three times as many webhooks as messages, beside sending: every one is taken and reaches its delivery."""

import asyncio
from pathlib import Path

from local_stack.webhooks import webhook_addresses
from tests.support.kabar import UNPACED, Kabar, eventually, running_kabar
from tests.support.load.webhooks import MESSAGES, posted, reports, sent
from tests.support.profiling import Document, documents_examined, profiled


async def test_600_webhooks_a_second_are_all_taken_and_applied_beside_sending_200(tmp_path: Path) -> None:
    async with running_kabar(tmp_path / "run", UNPACED) as kabar:
        address = webhook_addresses(kabar.access, None)["fonnte"]
        await sent(kabar, first=0)
        bodies = await reports(kabar)

        async def all_read() -> bool:
            return kabar.database["deliveries"].count_documents({"status": "read"}) == MESSAGES

        with profiled(kabar.database, "deliveries", by="dispatcher") as operations:
            sending = asyncio.create_task(sent(kabar, first=MESSAGES))
            assert len(await posted(address, bodies)) == len(bodies) == 3 * MESSAGES
            await sending
            await eventually(all_read, seconds=120)
        assert not kabar.database["webhook_inbox"].count_documents({})
        looked_up = [one for one in operations if is_lookup(one)]
        assert 0 < len(looked_up) <= len(bodies)
        assert documents_examined(looked_up) <= len(bodies)
        assert 0 < await envelopes(kabar) <= len(bodies)


def is_lookup(operation: Document) -> bool:
    """Whether deliveries were looked for by what the provider calls their messages."""
    return operation["op"] == "query" and "attempts.provider_message_id" in str(operation["command"]["filter"])


async def envelopes(kabar: Kabar) -> float:
    """How many of webhooks Fonnte's gateway was sent."""
    (port,) = [one.port for one in kabar.stack.status() if one.state.name.startswith("gateway-fonnte")]
    metrics = (await kabar.http.get(f"http://127.0.0.1:{port}/metrics")).text.splitlines()
    handled = 'envelope_handled_total{queue="gateway-fonnte.webhooks"'
    return sum(float(line.rsplit(" ", 1)[1]) for line in metrics if line.startswith(handled))
