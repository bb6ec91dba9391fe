"""Which clock the API tells the time by."""

from datetime import UTC, datetime

from api_gateway.adapters.served_clock import ServedClock
from common.kernel.failures import Transient

SERVER, MACHINE = datetime(2025, 11, 15, 2, 0, tzinfo=UTC), datetime(2025, 11, 15, 3, 0, tzinfo=UTC)


class Stands:
    def __init__(self, at: datetime) -> None:
        self.at: datetime | None = at

    def now(self) -> datetime:
        if self.at is None:
            raise Transient("nobody told the time yet")
        return self.at


def test_the_servers_clock_counts_and_the_machines_only_before_it_is_known() -> None:
    server = Stands(SERVER)
    clock = ServedClock(server, Stands(MACHINE))
    assert clock.now() == SERVER
    server.at = None
    assert clock.now() == MACHINE
