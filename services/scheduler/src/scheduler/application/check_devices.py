"""Have every provider asked how the devices of our senders are."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.documents import DEVICE_ASKED_EVERY_SECONDS, SenderDocument
from common.kernel.clock import Clock
from scheduler.application.alert_ports import Enquirers
from scheduler.application.ports import Firing, Tally
from scheduler.domain.checks import can_be_asked

PATIENCE = timedelta(seconds=20)
LOOK_SECONDS = 0.25


class Senders(Protocol):
    async def all(self) -> list[SenderDocument]: ...


@dataclass(frozen=True)
class CheckDevices:
    """The job `provider-check`. What is found out stands in the senders' documents; alerts come of that."""

    senders: Senders
    enquirers: Enquirers
    clock: Clock
    name: str = "provider-check"

    async def run(self, firing: Firing) -> Tally:
        begun_at = self.clock.now()
        senders = await self.senders.all()
        asked = [sender for sender in senders if can_be_asked(sender, begun_at)]
        skipped = {"cannot be asked": len(senders) - len(asked)} if len(asked) < len(senders) else {}
        if firing.dry_run:
            return Tally(len(senders), len(asked), skipped)
        await self.ask(asked)
        # One that somebody asked about a moment ago is not asked again.
        since = begun_at - timedelta(seconds=DEVICE_ASKED_EVERY_SECONDS)
        errors = await self._errors([sender["_id"] for sender in asked], since, begun_at + PATIENCE)
        return Tally(len(senders), len(asked), skipped, errors=errors)

    async def ask(self, senders: Sequence[SenderDocument]) -> None:
        """Have them asked about, and wait for nothing."""
        by_provider: dict[str, list[str]] = {}
        for sender in senders:
            by_provider.setdefault(sender["provider"], []).append(sender["_id"])
        for provider, identities in by_provider.items():
            await self.enquirers.devices(provider, identities, self.clock.now() + PATIENCE)

    async def _errors(self, asked: Sequence[str], since: datetime, deadline: datetime) -> list[str]:
        """What kept each of them from being known, once all are over or it took too long."""
        while True:
            devices = {sender["_id"]: sender.get("device", {}) for sender in await self.senders.all()}
            silent = [one for one in asked if (at := devices[one].get("answered_at")) is None or at < since]
            if not silent or self.clock.now() >= deadline:
                refused = [f"{one}: {error}" for one in asked if one not in silent and (error := devices[one]["error"])]
                return [*refused, *(f"{one}: no answer" for one in silent)]
            await asyncio.sleep(LOOK_SECONDS)
