"""Let people sign in at the admin page, know them again, and let them go."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_urlsafe
from typing import Protocol

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import EVERYONE, Caller
from api_gateway.domain.accounts import Account
from api_gateway.domain.refusals import Code, Forbidden, Limited, Unauthenticated
from api_gateway.domain.session import LONGEST, Session, fingerprint, identity
from common.kernel.clock import Clock
from common.telemetry.logs import logger

AT_ONCE = 2
"""Passwords verified at the same time: each takes a processor and 64 MB for a moment."""
log = logger()


class Sessions(Protocol):
    async def add(self, session: Session) -> None:
        """Durable once this returns; raises `Unavailable`."""

    async def get(self, session_id: str) -> Session | None: ...

    async def remove(self, session_id: str) -> None: ...

    async def there(self, ids: Sequence[str]) -> set[str]:
        """Those of them that there still are."""


class Passwords(Protocol):
    def verify(self, hashed: str | None, password: str) -> bool:
        """Takes as long when there is nothing to compare with."""


Forgive = Callable[[], Awaitable[None]]


class Attempts(Protocol):
    async def demand(self, name: str, address: str) -> Forgive:
        """Count one; raises `Limited` when there were too many lately. Who is let in is forgiven."""


class TimedTokens(Protocol):
    async def timed(self, authorization: str) -> tuple[Caller, datetime, str]:
        """Who a header names, until when, and the fingerprint of what its token is signed with; raises
        `Unauthenticated`.
        """

    async def trusts(self, signed_with: str) -> bool:
        """Whether that still signs tokens; raises `Unavailable`."""


@dataclass
class SignIn:
    accounts: Mapping[str, Account]
    passwords: Passwords
    tokens: TimedTokens
    attempts: Attempts
    sessions: Sessions
    audit: AuditLog
    clock: Clock
    _free: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def with_password(self, name: str, password: str, address: str) -> str:
        """What the browser is to keep; raises `Unauthenticated` or `Limited`."""
        forgive = await self.attempts.demand(name, address)
        account = self.accounts.get(name)
        async with self._free:
            hashed = None if account is None else account.hash
            right = await asyncio.to_thread(self.passwords.verify, hashed, password)
        if account is None or not right:
            log.warning("sign_in.refused", account=None if account is None else account.name)
            raise _refused("The name or the password is wrong.")
        await forgive()
        caller = Caller(account.name, account.role, address=address)
        return await self._begin(caller, self.clock.now() + LONGEST, fingerprint(account.hash))

    async def with_token(self, token: str, address: str) -> str:
        """The same for whoever has a bearer token; it ends with the token."""
        forgive = await self.attempts.demand("", address)
        caller, ends, signed_with = await self.tokens.timed(f"Bearer {token}")
        await forgive()
        if caller.role not in EVERYONE:
            raise Forbidden(Code.FORBIDDEN, f"The token's role {caller.role!r} is none of {', '.join(EVERYONE)}.")
        caller = Caller(caller.subject, caller.role, address=address)
        return await self._begin(caller, min(ends, self.clock.now() + LONGEST), signed_with)

    async def _begin(self, caller: Caller, ends: datetime, credential: str) -> str:
        secret = token_urlsafe(32)
        now = self.clock.now()
        await self.audit.note(caller, "session.begin", caller.subject, after={"until": ends})
        await self.sessions.add(Session(identity(secret), caller.subject, caller.role, credential, now, ends))
        log.info("session.begun", by=caller.subject)
        return secret

    async def whose(self, secret: str) -> Session | None:
        """The session a browser holds; `None` when it does not hold any more."""
        found = await self.sessions.get(identity(secret))
        return found if found is not None and await self.holds(found) else None

    async def holds(self, session: Session) -> bool:
        """Whether its time is not over, and what it began with would let the same one in now."""
        if session.expires_at <= self.clock.now():
            return False
        account = self.accounts.get(session.subject)
        if account is not None and (account.role, fingerprint(account.hash)) == (session.role, session.credential):
            return True
        return await self.tokens.trusts(session.credential)

    async def end(self, session: Session, caller: Caller) -> None:
        """Nothing that holds it is let in again, wherever it is."""
        await self.sessions.remove(session.id)
        await self.audit.note(caller, "session.end", caller.subject)
        log.info("session.ended", by=caller.subject)


@dataclass
class Watchers:
    """Sessions whose browsers are told what changes. Whether there still are any is asked for all of them at once."""

    sessions: Sessions
    holds: Callable[[Session], Awaitable[bool]]
    _watching: Counter[Session] = field(default_factory=Counter)
    _over: set[Session] = field(default_factory=set)

    @contextmanager
    def watching(self, session: Session) -> Iterator[Callable[[], bool]]:
        """Says whether it still may."""
        self._watching[session] += 1
        try:
            yield lambda: session not in self._over
        finally:
            self._watching[session] -= 1
            self._watching += Counter()  # without those nobody watches with

    async def refresh(self) -> None:
        asked = list(self._watching)
        there = await self.sessions.there([session.id for session in asked]) if asked else set()
        self._over = {session for session in asked if session.id not in there or not await self.holds(session)}


def limited(reset_at: datetime) -> Limited:
    return Limited(
        Code.MINUTE_LIMIT_EXCEEDED, "Too many attempts. Wait a little before the next one.",
        details={"reset_at": reset_at},
    )  # fmt: skip


def _refused(error: str) -> Unauthenticated:
    return Unauthenticated(Code.UNAUTHENTICATED, error)
