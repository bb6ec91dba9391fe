"""What making an attempt needs from the world."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from common.contracts.events import (
    AttemptOutcome,
    AttemptRequest,
    AttemptsRequested,
    MessageReceived,
    Report,
    SenderReported,
    WebhooksReceived,
)
from gateway.domain.account import Account
from gateway.domain.answer import Answer
from gateway.domain.dialect import Call

Permit = Callable[[], Awaitable[None]]
"""Awaited right before the first byte of a request goes out; raises `Missed` when it must not go out any more."""


class Provider(Protocol):
    """The company behind the gateway."""

    async def send(self, account: Account, request: AttemptRequest, permit: Permit) -> Answer:
        """Ask for one message exactly once and say what came of it.

        Raises nothing but what `permit` raises, and then nothing was asked. Ends by itself after a bounded time.
        """
        ...

    def cut(self) -> None:
        """End every call under way; each says that its outcome is unknown."""
        ...


class Asking(Protocol):
    """The company behind the gateway, asked about something."""

    async def ask(self, call: Call) -> Mapping[str, Any]:
        """The JSON object it answers with, whatever the status. Raises `Transient` when it answers with none."""
        ...


@dataclass(frozen=True, slots=True)
class StartedElsewhere:
    """An attempt found started by another handling."""

    delivery_id: str
    number: int
    started_by: str
    started_at: datetime | None


class Deliveries(Protocol):
    """The attempts under way, kept where every process sees them."""

    async def start(self, asked: AttemptsRequested, token: str) -> set[str]:
        """Start what is still requested and not past its deadline; the deliveries that are ours under `token` now.

        Calling it again with the same token starts nothing twice. Raises `Transient`.
        """
        ...

    async def started_elsewhere(self, asked: AttemptsRequested, token: str) -> list[StartedElsewhere]:
        """What others have started of the same claim and nobody has ended. Raises `Transient`."""
        ...


class Slots(Protocol):
    """The gate's view of a moment that was granted."""

    async def move(
        self, sender: str, *, slot: datetime, gap: float, to: datetime, behind: float = 0.0
    ) -> datetime | None:
        """Date a paced grant later, after all that were granted meanwhile if those are over `behind` seconds after
        `to`; the new slot, or `None` when that is not possible any more.
        """
        ...

    async def date(self, sender: str, *, slot: datetime, to: datetime) -> bool:
        """The same for a grant that no gap paced, which is possible whatever was granted after it."""
        ...


class Outcomes(Protocol):
    """Where outcomes go; each is told apart from the others, so that none waits for a slow one."""

    def put(self, outcome: AttemptOutcome) -> asyncio.Future[None]:
        """Hand one over; the future is done once it is safe."""
        ...


class Reports(Protocol):
    """Where a provider's reports on messages go."""

    def put(self, report: Report) -> asyncio.Future[None]:
        """Hand one over; the future is done once it is safe."""
        ...


class News(Protocol):
    """Where everything else goes that a provider tells us. All raise `Transient`."""

    async def reported(self, news: SenderReported) -> None: ...

    async def received(self, message: MessageReceived) -> None: ...

    async def handed_back(self, webhooks: WebhooksReceived) -> None:
        """Have them come once more, in an envelope of their own."""
        ...


class KnownDevices(Protocol):
    """What is known of our senders' devices, where others see it."""

    async def said(self, sender: str, *, connected: bool, at: datetime) -> None:
        """Keep whether a device is connected, unless something later is known."""
        ...


class PreciseClock(Protocol):
    """MongoDB's time, finer than the milliseconds it keeps."""

    def now(self) -> datetime: ...

    def seconds(self) -> float:
        """Unix seconds."""
        ...


class Observer(Protocol):
    """Who counts and logs."""

    def finished(self, outcome: AttemptOutcome, *, seconds: float | None) -> None:
        """`seconds` the provider took; `None` where it was not called, or nobody can tell."""
        ...

    def late(self, seconds: float) -> None: ...

    def moved(self) -> None: ...


class WebhookObserver(Protocol):
    def webhook(self, said: str) -> None: ...


Accounts = Mapping[str, Account]
"""By their senders; it changes while the service runs, as tokens are replaced."""
