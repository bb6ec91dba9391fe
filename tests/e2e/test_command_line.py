"""`kabar` beside a whole Kabar, as an operator has it after `make up`."""

import asyncio
import json
import re

from tests.support.command_line import Ran, installed
from tests.support.kabar import Kabar


async def run(kabar: Kabar, *arguments: str) -> Ran:
    environment = kabar.access.environment() | {"COLUMNS": "120"}
    return await asyncio.to_thread(installed, *arguments, environment=environment)


async def test_a_message_is_sent_and_its_timeline_shown(kabar: Kabar) -> None:
    told = await run(kabar, "send", "--to", "6281200000046", "-m", "Halo dari Kabar", "--yes", "--wait")
    assert told.code == 0, told.err
    assert re.search(r"custom to 6281\*{6}046: (sent|delivered|read) through fonnte-1", told.out)
    assert "fonnte took it" in told.out
    (message,) = await kabar.sandbox.accepted(recipient="6281200000046")
    assert message.text == "Halo dari Kabar"


async def test_a_failure_is_waited_for_said_and_found_again(kabar: Kabar) -> None:
    told = await run(kabar, "send", "--to", "6281200000051", "-m", "Halo", "--yes", "--wait", "--json")
    assert told.code == 1, told.err
    (delivery,) = json.loads(told.out)["deliveries"]
    assert delivery["status"] == "failed"
    assert delivery["id"] in (await run(kabar, "dead", "list")).out
    assert delivery["reason"] in (await run(kabar, "delivery", "find", "6281200000051")).out
    assert (await run(kabar, "dead", "discard", delivery["id"], "--yes")).code == 0


async def test_a_tester_reads_what_customers_would(kabar: Kabar) -> None:
    told = await run(kabar, "test", "dunning", "--to", "6281200000032", "--yes", "--wait")
    assert told.code == 0, told.err
    (message,) = await kabar.sandbox.accepted(recipient="6281200000032")
    assert "Rp" in message.text


async def test_it_is_found_that_somebody_wants_nothing(kabar: Kabar) -> None:
    told = await run(kabar, "delivery", "find", "0812-0000-0031")
    assert re.match(r"6281\*{6}031 is suppressed since .* by recipient: opt_out", told.out), told.err


async def test_a_healthy_kabar_is_said_to_be_so(kabar: Kabar) -> None:
    told = await run(kabar, "monitor", "--check-health", "--check-rate-limits")
    assert (told.code, told.err) == (0, ""), told.out
    assert "fonnte-1  available  connected" in told.out


async def test_the_dunning_is_rehearsed_stage_by_stage(kabar: Kabar) -> None:
    told = await run(kabar, "dunning", "run", "--dry-run")
    assert told.code == 0, told.err
    assert [line.split()[0] for line in told.out.splitlines()[1:6]] == ["T-7", "T-3", "T-1", "T+3", "all"]
    assert "dunning " in (await run(kabar, "schedule", "list")).out
