"""Services as processes of their own, forked from one that has imported what they run: importing takes seconds of a
processor, and the tests start hundreds of them. That `python -m` starts one is what the tests of a whole Kabar show.
"""

import multiprocessing
import os
import runpy
import signal
import subprocess
import time
from collections.abc import Mapping
from functools import cache
from multiprocessing.context import ForkServerContext
from pathlib import Path

SERVICES = ("api_gateway", "dispatcher", "scheduler", "gateway_fonnte", "gateway_wablas", "gateway_email")


class Forked:
    """`python -m module` with this environment and no other, writing to the end of `log`; to be used like a `Popen`."""

    def __init__(self, module: str, environment: Mapping[str, str], log: Path) -> None:
        log.touch()
        # Whoever is left when the tests have ended is ended by Python.
        self._process = _context().Process(target=_run, args=(module, dict(environment), log), daemon=True)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, seconds: float | None = None) -> int:
        self._process.join(seconds)
        if self.returncode is None:
            raise subprocess.TimeoutExpired(str(self._process.name), seconds or 0)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


@cache
def _context() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([f"{service}.wiring" for service in SERVICES])
    return context


def _run(module: str, environment: dict[str, str], log: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    with log.open("ab") as output, Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), 0)
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    runpy.run_module(module, run_name="__main__", alter_sys=True)
