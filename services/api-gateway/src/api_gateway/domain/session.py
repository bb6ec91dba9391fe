"""Who is signed in at the admin page."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from api_gateway.domain.access import Caller

LONGEST = timedelta(hours=12)
"""A working day; then everybody signs in anew."""


@dataclass(frozen=True)
class Session:
    """`id` is a digest of what the browser holds, so that nobody can sign in with what is stored. `credential` is the
    fingerprint of what it began with and must still count: the account's password, or what signed the token.
    """

    id: str
    subject: str
    role: str
    credential: str
    created_at: datetime
    expires_at: datetime

    def caller(self, address: str | None) -> Caller:
        return Caller(self.subject, self.role, address=address)


def identity(secret: str) -> str:
    """Under which a session is stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def form_token(secret: str) -> str:
    """What every form of a session carries: nobody makes one up without what the browser holds, or learns that from
    it.
    """
    return hmac.new(secret.encode(), b"form", hashlib.sha256).hexdigest()


def is_form_token(given: str, secret: str) -> bool:
    return hmac.compare_digest(given.encode(), form_token(secret).encode())


def fingerprint(of: str) -> str:
    """Says whether the hash of a password, or a key, is still the one it was."""
    return hashlib.sha256(of.encode()).hexdigest()[:16]
