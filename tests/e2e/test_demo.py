"""What `make demo` shows ends as it says."""

import asyncio

import pytest

from local_stack import demo
from tests.support.kabar import Kabar


async def test_every_scene_ends_as_it_should(kabar: Kabar, capsys: pytest.CaptureFixture[str]) -> None:
    code = await asyncio.to_thread(demo.run, kabar.access)
    shown = capsys.readouterr().out
    assert code == 0, shown
    assert "by failover" in shown
    assert "cancelled" in shown
