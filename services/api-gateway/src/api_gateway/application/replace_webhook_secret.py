"""Give the providers' webhooks new addresses; the old ones are taken until somebody told the providers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from api_gateway.domain.refusals import Code, Conflicting
from api_gateway.domain.webhooks import ADDRESSES
from common.kernel.clock import Clock

FORMER = timedelta(hours=24)
"""Addresses are entered by hand at each provider."""


class ReplaceableSecrets(Protocol):
    @property
    def configured(self) -> Sequence[str]: ...

    async def rotate(self, rotation: str, *, former_until: datetime, now: datetime) -> str:
        """The new secret; the same `rotation` again gives the same one."""
        ...


@dataclass(frozen=True)
class ReplaceWebhookSecret:
    providers: Sequence[str]
    secrets: ReplaceableSecrets
    clock: Clock

    async def __call__(self, rotation: str) -> tuple[Mapping[str, str], datetime]:
        """The new address of each provider, without host, and until when the old ones are taken.

        Raises `Conflicting` where the secret is a setting.
        """
        if self.secrets.configured:
            raise Conflicting(
                Code.CONFLICT, "KABAR_WEBHOOK_SECRET sets it: write the new one into its file, before the old one"
            )
        now = self.clock.now()
        secret = await self.secrets.rotate(rotation, former_until=now + FORMER, now=now)
        return {provider: f"{ADDRESSES}{provider}/{secret}" for provider in self.providers}, now + FORMER
