"""The examples of the pages for portals and for users of the bus, run as they stand beside a whole Kabar."""

import asyncio
import contextlib
import os
import re
import sys
from asyncio.subprocess import PIPE
from itertools import count
from pathlib import Path

from tests.support.catalogue import ROOT
from tests.support.kabar import Kabar, eventually


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / page).read_text(), re.DOTALL)


async def run(kabar: Kabar, *command: str, directory: Path) -> str:
    """What it says; fails when it fails."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=directory, env={**os.environ, **kabar.access.environment()}, stdout=PIPE, stderr=PIPE
    )
    said, complained = await process.communicate()
    assert process.returncode == 0, f"{said.decode()}\n{complained.decode()}"
    return said.decode()


async def test_every_request_of_the_api_page_is_answered_as_a_success(kabar: Kabar, tmp_path: Path) -> None:
    examples = blocks("docs/api.md", "sh")
    assert len(examples) >= 6
    said = await run(kabar, "bash", "-euo", "pipefail", "-c", "\necho\n".join(examples), directory=tmp_path)
    assert said.count('"success":true') >= 4
    assert said.count('"notification_id"') >= 3

    async def thanked() -> bool:
        texts = [message.text for message in await kabar.sandbox.accepted(recipient="6281200000001")]
        return any("Terima kasih" in text for text in texts) and any("Halo Sari, tagihan" in text for text in texts)

    await eventually(thanked, seconds=60)


async def test_the_bus_page_tells_of_a_customer_and_hears_what_becomes_of_it(kabar: Kabar, tmp_path: Path) -> None:
    tell, listen = blocks("docs/bus.md", "python")
    hearing = await asyncio.create_subprocess_exec(
        sys.executable, "-c", listen, cwd=tmp_path, env={**os.environ, **kabar.access.environment()}, stdout=PIPE
    )
    try:
        assert hearing.stdout is not None
        for number in count(1):  # what is told before it listens is not for it
            row = tell.replace("C-1", f"C-documented-{number}")
            await run(kabar, sys.executable, "-c", row, directory=tmp_path)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(10):
                    told = (await hearing.stdout.readline()).decode().split()
                    break
            assert number < 10
        assert (told[1][:4], told[2]) == ("dlv_", "sent")
    finally:
        hearing.terminate()
        await hearing.wait()


async def test_the_readme_sends_as_it_says(kabar: Kabar, tmp_path: Path) -> None:
    request = next(block for block in blocks("README.md", "sh") if "curl" in block)
    posted = request.partition("# with the notification_id")[0].partition("set +a\n")[2]
    assert '"success":true' in await run(kabar, "bash", "-euc", posted, directory=tmp_path)
