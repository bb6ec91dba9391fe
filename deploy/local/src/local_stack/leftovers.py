"""Processes of a stack that nobody supervises any more, because their supervisor was killed."""

from contextlib import suppress
from pathlib import Path

import psutil

from local_stack.program import STARTED_BY

_PATIENCE_SECONDS = 35


def find_leftovers(run: Path) -> list[psutil.Process]:
    """Every process that was started out of this run directory, by the mark in its environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(STARTED_BY) == str(run) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # gone in between, or somebody else's
    return found


def end_leftovers(run: Path) -> None:
    """Ask them to end, kill the ones that do not."""
    for _ in range(2):  # a supervised program's child may appear while its parent ends
        processes = find_leftovers(run)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()
                process.terminate()
        _, stubborn = psutil.wait_procs(processes, timeout=_PATIENCE_SECONDS)
        for process in stubborn:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(stubborn, timeout=5)
