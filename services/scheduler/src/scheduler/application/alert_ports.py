"""What watching needs from the world."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from common.contracts.documents import AlertDocument
from common.contracts.facts import NotificationRequested
from common.contracts.reachable import Reachable
from scheduler.domain.findings import Observed, Thresholds


class Lease(Protocol):
    async def held(self) -> bool:
        """Take it, or keep it, for a while; `False` while somebody else has it."""
        ...


class Observations(Protocol):
    async def look(self, thresholds: Thresholds, now: datetime) -> Observed:
        """Everything but the jobs."""
        ...

    async def running(self) -> set[str]:
        """Jobs that somebody is at."""
        ...


class Alerts(Protocol):
    async def active(self) -> list[AlertDocument]: ...

    async def untold(self) -> list[AlertDocument]:
        """Those people are still to be told something of, the oldest, and not all of very many."""
        ...

    async def last_cleared(self, cause: str) -> datetime | None:
        """When the last alert of a cause was over."""
        ...

    async def add(self, alert: AlertDocument) -> bool:
        """Store a new one; `False` when somebody else has raised its cause meanwhile."""
        ...

    async def save(self, alert: AlertDocument) -> AlertDocument | None:
        """Write it back as it is with its next revision; `None` when somebody changed it since it was read."""
        ...


class Administrators(Protocol):
    async def reachable(self, *, suppressible: bool) -> Reachable:
        """`suppressible`: whether what they are to be told is kept from those who opted out."""
        ...


class Requests(Protocol):
    async def __call__(self, requests: Sequence[NotificationRequested]) -> None:
        """Ask for notifications; the same one twice is one. Raises `Transient`."""
        ...


class Enquirers(Protocol):
    async def devices(self, provider: str, senders: Sequence[str], deadline: datetime) -> None:
        """Have a provider asked how devices are. Raises `Transient`."""
        ...
