"""50,000 waiting deliveries: what is urgent overtakes them, and they cost no service its memory."""

from pathlib import Path

import psutil

from tests.support.kabar import UNLIMITED, Kabar, eventually, running_kabar

BACKLOG = 50_000
GROWTH = 50 * 1024 * 1024
SETTINGS = {**UNLIMITED, "WHATSAPP_QUEUE_DELAY": "0.5", "KABAR_REPLICAS_DISPATCHER": "2"}


async def test_behind_50000_low_ones_a_high_one_is_next_and_memory_stays(tmp_path: Path) -> None:
    async with running_kabar(tmp_path / "run", SETTINGS) as kabar:
        idle = memory(kabar)
        numbers = [f"62812{30_000_000 + number}" for number in range(BACKLOG)]
        low = await kabar.accept(to=numbers, message="Promo", priority="low", force=True)

        async def planned() -> bool:
            return sum((await kabar.progress(low["notification_id"])).values()) == BACKLOG

        await eventually(planned, seconds=60)
        await kabar.accept(to=["6281200000021"], message="Penting", priority="high")

        async def sends() -> list[str]:
            calls = await kabar.sandbox.calls(provider="fonnte")
            return [call.recipient for call in calls if call.endpoint == "send"]

        async def called() -> list[str] | None:
            calls = await sends()
            return calls if "6281200000021" in calls else None

        before = len(await sends())
        calls = await eventually(called, seconds=10)
        # One slot may have been given away already when the urgent one arrived, and one call under way.
        assert calls.index("6281200000021") <= before + 1
        grown = {name: size - idle[name] for name, size in memory(kabar).items()}
        assert all(growth < GROWTH for growth in grown.values()), grown


def memory(kabar: Kabar) -> dict[str, int]:
    """Resident bytes of every service (the servers and the simulators are not ours to judge here)."""
    return {
        path.stem: psutil.Process(int(path.read_text())).memory_info().rss
        for path in kabar.stack.directory.glob("*.pid")
        if path.stem.startswith(("api-gateway", "dispatcher", "scheduler", "gateway"))
    }
