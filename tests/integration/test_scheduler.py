"""The scheduler shows that it lives, and ends when asked to."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from pymongo import MongoClient


async def test_it_writes_a_heartbeat_each_second_and_ends_in_order(
    rabbitmq_url: str, mongodb_url: str, tmp_path: Path
) -> None:
    surroundings = {"RABBITMQ_URL": rabbitmq_url, "MONGODB_URL": mongodb_url, "KABAR_HTTP_PORT": "0"}
    client: MongoClient[dict[str, Any]] = MongoClient(mongodb_url, tz_aware=True)
    with (tmp_path / "scheduler.log").open("w") as log, client:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "scheduler",
            env={**os.environ, **surroundings, "KABAR_INSTANCE": "scheduler-1"},
            stdout=log,
            stderr=log,
        )
        heartbeats = client.get_default_database()["heartbeats"]
        async with asyncio.timeout(20):
            while (first := heartbeats.find_one({"_id": "scheduler-1"})) is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.05)
            assert first["service"] == "scheduler"
            while (heartbeats.find_one({"_id": "scheduler-1"}) or first)["seen_at"] == first["seen_at"]:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        process.terminate()
        assert await asyncio.wait_for(process.wait(), 30) == 0
