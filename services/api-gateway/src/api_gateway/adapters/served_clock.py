"""The time everything is measured on, also before MongoDB was ever reached."""

from datetime import datetime

from common.kernel.clock import Clock
from common.kernel.failures import Transient


class ServedClock:
    """MongoDB's clock; this machine's until MongoDB has told the time once, as what is wrong is refused without it."""

    def __init__(self, server: Clock, machine: Clock) -> None:
        self._server = server
        self._machine = machine

    def now(self) -> datetime:
        try:
            return self._server.now()
        except Transient:
            return self._machine.now()
