"""A real sandbox for the length of a test."""

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sandbox.control_client import SandboxControl

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


@asynccontextmanager
async def running_sandbox(environment: "Mapping[str, str] | None" = None) -> "AsyncIterator[SandboxControl]":
    """Start a sandbox on a free port in a process of its own, so that a busy test does not bend its times.

    ``environment`` adds to or overrides this process' variables.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        env={
            **os.environ,
            "KABAR_HTTP_HOST": "127.0.0.1",
            "KABAR_HTTP_PORT": "0",
            "KABAR_SANDBOX_MAIL_PORT": "0",
            **(environment or {}),
        },
        stdout=asyncio.subprocess.PIPE,
    )
    if process.stdout is None:
        raise RuntimeError("the sandbox has no output to read its port from")
    draining: asyncio.Task[bytes] | None = None
    try:
        first_line = await process.stdout.readline()
        if not first_line:
            raise RuntimeError("the sandbox did not start, its reason is on stderr")
        listening = json.loads(first_line)
        # A pipe that nobody reads would stop the sandbox once it is full.
        draining = asyncio.create_task(process.stdout.read())
        async with SandboxControl(f"http://{listening['host']}:{listening['port']}") as control:
            yield control
    finally:
        if process.returncode is None:
            process.terminate()
        if draining is not None:
            await draining
        await process.wait()
