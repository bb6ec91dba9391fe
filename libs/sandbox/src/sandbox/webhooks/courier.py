"""Carrying webhooks to the subscriber, with retries, and keeping a journal of every attempt."""

import asyncio
import time
from collections import deque
from dataclasses import asdict, dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import httpx

from sandbox.ledger import ProviderName

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

    from sandbox.bell import Bell
    from sandbox.clock import Clock
    from sandbox.webhooks.subscription import Subscription

CARRIERS = 8
JOURNAL_LENGTH = 10_000


@dataclass(slots=True, frozen=True)
class Attempt:
    """One try to deliver one event. ``outcome`` is ``delivered``, ``retrying``, ``given_up``, or ``auto_reply``:
    Wablas sends a non-empty answer body to the customer, which is always a mistake. ``at`` is real Unix seconds.
    """

    provider: ProviderName
    kind: str
    body: dict[str, Any]
    number: int
    http_status: int | None
    outcome: str
    at: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


class Courier:
    """Delivers a provider's events; idle and without a task while nobody has subscribed.

    The events of one message are delivered one after the other; several messages are on their way at a time.
    """

    def __init__(self, provider: ProviderName, clock: "Clock", bell: "Bell") -> None:
        self.subscription: Subscription | None = None
        self.journal: deque[Attempt] = deque(maxlen=JOURNAL_LENGTH)
        self._provider = provider
        self._clock = clock
        self._bell = bell
        self._chance = Random(0)  # noqa: S311  # a seeded loss, not cryptography
        self._parcels: asyncio.Queue[list[tuple[str, dict[str, Any]]]] = asyncio.Queue()
        self._tasks: set[asyncio.Task[None]] = set()
        self._http: httpx.AsyncClient | None = None
        self._carrying = False

    def subscribe(self, subscription: "Subscription") -> None:
        """Deliver there from now on."""
        self.subscription = subscription
        self._chance = Random(subscription.seed)  # noqa: S311  # a seeded loss, not cryptography
        if self._http is None:
            self._http = httpx.AsyncClient(timeout=10, trust_env=False)
        if not self._carrying:
            self._carrying = True
            for _ in range(CARRIERS):
                self._spawn(self._carry(self._http))

    def unsubscribe(self) -> None:
        """Deliver nothing more, forget what is on its way and the journal."""
        self.subscription = None
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()
        self._parcels = asyncio.Queue()
        self.journal.clear()
        self._carrying = False

    def post(self, kind: str, bodies: "Sequence[dict[str, Any]]", *, in_order_as_given: bool = False) -> None:
        """Send bodies of one kind (``status incoming device``) with the subscription's disorder, if there is one."""
        subscription = self.subscription
        if subscription is None:
            return
        ordered = list(bodies if in_order_as_given or not subscription.reverse else reversed(bodies))
        parcel = [
            (kind, {**body, **subscription.extra_fields})
            for body in ordered
            for _ in range(subscription.copies)
            if self._chance.random() >= subscription.lost_share
        ]
        if subscription.late_seconds:
            self._spawn(self._post_late(parcel, subscription.late_seconds))
        else:
            self._parcels.put_nowait(parcel)

    async def drained(self) -> None:
        """Wait until everything that is not late has been tried once."""
        await self._parcels.join()

    async def _post_late(self, parcel: list[tuple[str, dict[str, Any]]], seconds: float) -> None:
        await self._clock.sleep(seconds)
        self._parcels.put_nowait(parcel)

    async def _carry(self, http: httpx.AsyncClient) -> None:
        while True:
            parcel = await self._parcels.get()
            for kind, body in parcel:
                if not await self._deliver(http, kind, body, number=1):
                    self._spawn(self._try_again(http, kind, body))
            self._parcels.task_done()

    async def _try_again(self, http: httpx.AsyncClient, kind: str, body: dict[str, Any]) -> None:
        number = 2
        while (subscription := self.subscription) is not None:
            await self._clock.sleep(subscription.retry_seconds)
            if await self._deliver(http, kind, body, number=number):
                return
            number += 1

    async def _deliver(self, http: httpx.AsyncClient, kind: str, body: dict[str, Any], *, number: int) -> bool:
        """One attempt; true when there will be no further one."""
        subscription = self.subscription
        if subscription is None:
            return True
        status, answered = await _call(http, subscription, body)
        last = number > subscription.retries or self._provider is ProviderName.WABLAS
        if self._provider is ProviderName.WABLAS and answered.strip():
            outcome = "auto_reply"
        elif status == 200:
            outcome = "delivered"
        else:
            outcome = "given_up" if last else "retrying"
        self.journal.append(Attempt(self._provider, kind, body, number, status, outcome, time.time()))
        self._bell.ring()
        return outcome != "retrying"

    def _spawn(self, work: "Coroutine[Any, Any, None]") -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _call(
    http: httpx.AsyncClient, subscription: "Subscription", body: dict[str, Any]
) -> tuple[int | None, bytes]:
    try:
        if subscription.encoding == "json":
            response = await http.post(subscription.url, json=body)
        else:
            response = await http.post(subscription.url, data=body)
    except httpx.HTTPError:
        return None, b""
    return response.status_code, response.content
