"""Make API keys and take them back."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from api_gateway.application.ports import ApiKeys
from api_gateway.application.verify_api_keys import VerifyApiKeys
from api_gateway.domain.access import Caller, Scope
from api_gateway.domain.api_key import SECRET_BYTES, ApiKey, digest, written
from api_gateway.domain.refusals import Code, Conflicting, invalid, missing
from common.kernel.clock import Clock

MOST_KEYS = 500
"""All that may be used are held in memory by every process."""


@dataclass(frozen=True)
class IssueApiKeys:
    keys: ApiKeys
    verify: VerifyApiKeys
    clock: Clock

    async def issue(
        self, caller: Caller, key_id: str, *, name: str, scopes: Sequence[Scope], expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        """The key and how its owner has to send it, which nobody can tell again.

        Under an identity that is taken, by somebody whose answer never arrived, a new secret replaces the old one.
        """
        now = self.clock.now()
        if expires_at is not None and expires_at <= now:
            raise invalid("expires_at", "must be in the future; leave it out for a key that stays")
        if len(await self.keys.usable(now)) >= MOST_KEYS:
            raise Conflicting(Code.CONFLICT, f"there are {MOST_KEYS} keys; revoke some that nobody uses")
        secret = secrets.token_urlsafe(SECRET_BYTES)
        granted = tuple(sorted(set(scopes)))
        key = ApiKey(key_id, name, granted, digest(secret), caller.subject, now, expires_at)
        await self.keys.keep(key)
        self.verify.forget()
        return key, written(key_id, secret)

    async def get(self, key_id: str) -> ApiKey:
        found = await self.keys.get(key_id)
        if found is None:
            raise missing("API key", key_id)
        return found

    async def revoke(self, key_id: str) -> ApiKey:
        """Refused everywhere within a second; doing it again changes nothing. Raises `Missing`."""
        found = await self.get(key_id)
        if found.revoked_at is not None:
            return found
        now = self.clock.now()
        await self.keys.revoke(key_id, now)
        self.verify.forget()
        return replace(found, revoked_at=now)
