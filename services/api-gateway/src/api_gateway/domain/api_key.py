"""API keys: `kbr_<id>_<secret>`, of which the SHA-256 of the secret is kept.

A slow hash protects secrets that people choose, as a thief of the hashes tries what people choose. These are 256 random
bits: nobody tries them all, however fast the hash is, and a slow one would only cost every request.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime

SECRET_BYTES = 32
_WRITTEN = re.compile(r"kbr_([0-9a-f]{12,40})_([A-Za-z0-9_-]{43})", re.ASCII)
_NOBODY = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True)
class ApiKey:
    """What is kept of a key. `digest` is of its secret; `last_used_at` is told in steps of minutes."""

    id: str
    name: str
    scopes: tuple[str, ...]
    digest: str
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def subject(self) -> str:
        """How what is done with it is signed."""
        return f"key:{self.id}"

    def status(self, now: datetime) -> str:
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= now else "active"


def written(key_id: str, secret: str) -> str:
    """The key as its owner sends it."""
    return f"kbr_{key_id}_{secret}"


def read(key: str) -> tuple[str, str] | None:
    """Identity and secret of what looks like a key."""
    found = _WRITTEN.fullmatch(key)
    return None if found is None else (found[1], found[2])


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def fits(key: ApiKey | None, secret: str) -> bool:
    """Whether it is the secret of this key; takes as long for a key that is not there."""
    same = hmac.compare_digest(_NOBODY if key is None else key.digest, digest(secret))
    return same and key is not None
