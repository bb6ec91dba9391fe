"""The secret tokens are signed with, and an admin's token."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt

from local_stack.program import write_private

_VALID = timedelta(days=30)


def signing_secret(path: Path) -> str:
    """The secret kept in `path`, made when there is none."""
    kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    if "jwt_secret" not in kept:
        kept["jwt_secret"] = secrets.token_hex(32)
        write_private(path, json.dumps(kept) + "\n")
    return kept["jwt_secret"]


def admin_token(secret: str, settings: Mapping[str, str]) -> str:
    """A bearer token with the role admin, valid for 30 days, from the issuer and for the audience that are set.

    Of a secret with several lines the first signs.
    """
    claims: dict[str, Any] = {"sub": "local-admin", "role": "admin", "exp": datetime.now(UTC) + _VALID}
    for claim, setting in (("iss", "KABAR_JWT_ISSUER"), ("aud", "KABAR_JWT_AUDIENCE")):
        if settings.get(setting):
            claims[claim] = settings[setting]
    return jwt.encode(claims, secret.partition("\n")[0].strip(), algorithm="HS256")
