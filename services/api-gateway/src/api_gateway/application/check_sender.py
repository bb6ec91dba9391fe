"""Have a provider asked how a sender's device is, or a mail server whether it lets us in, and wait for the answer."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from api_gateway.application.ports import Senders
from api_gateway.domain.refusals import Code, Conflicting, missing
from common.contracts.documents import DEVICE_ASKED_EVERY_SECONDS, GATEWAY_SILENT_SECONDS, SenderDocument
from common.kernel.clock import Clock

PATIENCE = timedelta(seconds=5)
LOOK_SECONDS = 0.1


class DeviceEnquirers(Protocol):
    async def device(self, provider: str, sender: str, deadline: datetime) -> None:
        """Raises `Unavailable`."""
        ...


@dataclass(frozen=True)
class CheckSender:
    enquirers: DeviceEnquirers
    senders: Senders
    clock: Clock
    patience: timedelta = PATIENCE

    async def __call__(self, sender_id: str) -> tuple[SenderDocument, bool]:
        """The sender, and whether its provider has answered. One that was asked a moment ago is not asked again.

        Raises `Missing`, and `Conflicting` when nobody can ask.
        """
        now = self.clock.now()
        sender = await self._get(sender_id)
        if now - sender["gateway_seen_at"] > timedelta(seconds=GATEWAY_SILENT_SECONDS):
            raise Conflicting(Code.NO_SENDER, f"the gateway of {sender_id} is silent; start it and ask again")
        since = sender.get("device", {}).get("asked_at")
        if since is None or since <= now - timedelta(seconds=DEVICE_ASKED_EVERY_SECONDS):
            since = now
            await self.enquirers.device(sender["provider"], sender_id, now + self.patience)
        while not _answered(sender, since) and self.clock.now() < now + self.patience:
            await asyncio.sleep(LOOK_SECONDS)
            sender = await self._get(sender_id)
        return sender, _answered(sender, since)

    async def _get(self, sender_id: str) -> SenderDocument:
        found = await self.senders.get(sender_id)
        if found is None:
            raise missing("sender", sender_id)
        return found


def _answered(sender: SenderDocument, since: datetime) -> bool:
    answered_at = sender.get("device", {}).get("answered_at")
    return answered_at is not None and answered_at >= since
