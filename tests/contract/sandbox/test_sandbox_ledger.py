import asyncio
import itertools
import sys
import time
from typing import TYPE_CHECKING

import httpx
import pytest

from sandbox.control_client import ControlRefusedError
from sandbox.running import running_sandbox

if TYPE_CHECKING:
    from sandbox.control_client import SandboxControl
    from tests.contract.sandbox.clients import FonnteClient, WablasClient


async def test_it_is_alive_and_lists_its_control(sandbox: "SandboxControl") -> None:
    async with httpx.AsyncClient(base_url=sandbox.base_url, trust_env=False) as http:
        assert (await http.get("/livez")).status_code == 200
        assert (await http.get("/readyz")).status_code == 200
        listed = (await http.get("/control")).json()["routes"]
        assert {"path": "/control/reset", "methods": ["POST"]} in listed
        missing = await http.get("/control/nowhere")
        assert (missing.status_code, "GET /control" in missing.json()["error"]) == (404, True)
        reasons = (await http.get("/control/reasons")).json()
        assert {"fonnte", "wablas"} == reasons.keys()


async def test_calls_keep_the_order_and_the_times_of_arrival(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    before = time.time()
    for _ in range(20):
        await fonnte.send()
    after = time.time()

    calls = await sandbox.calls("fonnte")

    moments = [moment for call in calls for moment in (call.received_at, call.answered_at or 0.0)]
    assert all(earlier <= later for earlier, later in itertools.pairwise([before, *moments, after]))


async def test_refused_calls_are_in_the_ledger_too(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await fonnte.send("abc")
    await fonnte.post("/device")

    assert [(call.endpoint, call.accepted, call.http_status) for call in await sandbox.calls()] == [
        ("send", 0, 200),
        ("device", 0, 200),
    ]


async def test_filters(fonnte: "FonnteClient", wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    await fonnte.send("6281200000001", token="sandbox-fonnte-token-2")
    await fonnte.send("6281200000002")
    await wablas.send()
    everything = await sandbox.accepted()

    assert [message.provider for message in everything] == ["fonnte", "fonnte", "wablas"]
    assert await sandbox.accepted("wablas") == everything[2:]
    assert await sandbox.accepted(recipient="6281200000002") == everything[1:2]
    assert await sandbox.accepted(device="fonnte-2") == everything[:1]
    assert await sandbox.accepted(since=everything[1].index, limit=1) == everything[1:2]
    with pytest.raises(ControlRefusedError, match="limit: Input should be less than or equal to 200000"):
        await sandbox.accepted(limit=200_001)


async def test_waiting_for_entries(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    waiting = asyncio.create_task(sandbox.accepted(at_least=2))
    await fonnte.send()
    await fonnte.send()

    assert len(await waiting) == 2
    assert len(await sandbox.accepted(at_least=3, wait_seconds=0.01)) == 2


async def test_reset_forgets_but_never_reuses_ids(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    first = await fonnte.send()
    await sandbox.disconnect("fonnte")
    await sandbox.hang("fonnte")
    await sandbox.reset()
    second = await fonnte.send()

    assert second["id"][0] > first["id"][0]
    assert [message.id for message in await sandbox.accepted()] == [str(second["id"][0])]


async def test_no_token_is_shown(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await fonnte.send()
    await fonnte.send(token="a-secret-somebody-pasted")
    await sandbox.fail("fonnte", reason="input invalid", token="sandbox-fonnte-token")

    async with httpx.AsyncClient(base_url=sandbox.base_url, trust_env=False) as http:
        for path in ("/control/calls", "/control/accepted", "/control/devices", "/control/faults"):
            shown = (await http.get(path)).text
            assert "sandbox-fonnte-token" not in shown
            assert "a-secret-somebody-pasted" not in shown


async def test_tokens_come_from_the_environment() -> None:
    async with (
        running_sandbox({"KABAR_SANDBOX_FONNTE_TOKENS": "one,two"}) as control,
        httpx.AsyncClient(base_url=control.fonnte_url, trust_env=False) as http,
    ):
        form = {"target": "6281200000001", "message": "Halo"}
        answers = [(await http.post("/send", data=form, headers={"Authorization": t})).json() for t in ("two", "three")]

    assert [answer["status"] for answer in answers] == [True, False]


async def test_a_bad_environment_is_refused_with_every_problem() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        env={"KABAR_HTTP_PORT": "x", "KABAR_SANDBOX_WABLAS_TOKENS": "no-secret"},
        stderr=asyncio.subprocess.PIPE,
    )
    _, problems = await process.communicate()

    assert process.returncode == 1
    assert b"KABAR_HTTP_PORT" in problems
    assert b"KABAR_SANDBOX_WABLAS_TOKENS" in problems
