"""Which senders there are and which can be used: one recent picture for every decision."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from common.contracts.documents import Circuit, SenderDocument
from common.contracts.vocabulary import MAIL_PROVIDER
from common.kernel.clock import Clock
from dispatcher.application.ports import Senders
from dispatcher.domain import circuit

LIMIT_BELIEVED = timedelta(seconds=3)


class Lookout:
    """A picture of the senders, renewed often; what this process learns itself is in it at once."""

    def __init__(self, senders: Senders, clock: Clock, providers: tuple[str, ...]) -> None:
        self._senders = senders
        self._clock = clock
        self._providers = providers
        self._picture: dict[str, SenderDocument] = {}
        self._changed: list[Callable[[], None]] = []
        self._looked = False
        self._looks = 0
        self._learnt_in_look: dict[str, int] = {}
        self._limited_until: dict[str, datetime] = {}

    async def known(self) -> None:
        """Look, if nobody ever has: deciding without a picture would find every provider gone."""
        if not self._looked:
            await self.renew()

    async def renew(self) -> None:
        before = self.usable()
        look = self._looks = self._looks + 1
        picture = {sender["_id"]: sender for sender in await self._senders.all()}
        for identity in picture.keys() & self._picture.keys():
            if self._learnt_in_look.get(identity, 0) >= look:  # learnt after this look had begun, which may not show it
                picture[identity] = {**picture[identity], "circuit": self._picture[identity]["circuit"]}
        self._picture, self._looked = picture, True
        if self.usable() != before:
            self.poke()

    def learn(self, sender: str, learnt: Circuit) -> None:
        """Take a circuit just written into the picture, without waiting for the next look."""
        if sender not in self._picture:
            return
        before = self._picture[sender].get("circuit")
        self._picture[sender] = {**self._picture[sender], "circuit": learnt}
        self._learnt_in_look[sender] = self._looks
        if before is None or before["state"] != learnt["state"]:
            self.poke()

    def limited(self, sender: str, until: datetime) -> None:
        """Note that a sender has reached one of its limits. Believed for a moment: a person may reset it."""
        before = self.spare()
        self._limited_until[sender] = min(until, self._clock.now() + LIMIT_BELIEVED)
        if self.spare() != before:
            self.poke()

    def unlimited(self, sender: str) -> None:
        self._limited_until.pop(sender, None)

    def all_limited(self, provider: str) -> bool:
        """Whether every sender of the provider that can be used has just been found at a limit."""
        now = self._clock.now()
        senders = [s for s in self._picture.values() if s["provider"] == provider and circuit.available(s, now)]
        return all(self._limited_until.get(s["_id"], now) > now for s in senders)

    def spare(self) -> frozenset[str]:
        """The providers that can be used and have a sender that is not known to be at a limit."""
        return frozenset(provider for provider in self.usable() if not self.all_limited(provider))

    def on_change(self, poke: Callable[[], None]) -> None:
        self._changed.append(poke)

    def poke(self) -> None:
        """Wake whoever waits for work: something may be possible now that was not before."""
        for poke in self._changed:
            poke()

    def sender(self, identity: str) -> SenderDocument | None:
        return self._picture.get(identity)

    def senders(self) -> list[SenderDocument]:
        return list(self._picture.values())

    def providers(self) -> set[str]:
        """Every provider a lane may name: a request may ask for one that is not in the route and has no sender."""
        return {*self._providers, *(sender["provider"] for sender in self._picture.values())}

    def fellows(self, provider: str) -> set[str]:
        """It and those a lane of its may name beside it: the providers of its channel."""
        by_mail = provider == MAIL_PROVIDER
        return {one for one in self.providers() if (one == MAIL_PROVIDER) == by_mail}

    def usable(self) -> frozenset[str]:
        """The providers that have a sender to give work to now."""
        now = self._clock.now()
        return frozenset(s["provider"] for s in self._picture.values() if circuit.available(s, now))

    def probed(self) -> frozenset[str]:
        """The providers with a sender that is out and waits for a delivery to try it with."""
        now = self._clock.now()
        return frozenset(s["provider"] for s in self._picture.values() if circuit.probe_due(s, now))

    def text_limit(self, provider: str) -> int | None:
        """The longest text the provider takes; `None` when it has no sender."""
        limits = [s["max_text_chars"] for s in self._picture.values() if s["provider"] == provider]
        return min(limits, default=None)

    def now(self) -> datetime:
        return self._clock.now()


class Doorbell:
    """Wakes one waiting loop."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def wait(self, seconds: float) -> bool:
        """Wait for a ring, so many seconds at most; whether it rang."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._rung.wait()
        except TimeoutError:
            return False
        finally:
            self._rung.clear()
        return True
