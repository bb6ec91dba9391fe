"""The secret tokens are signed with, an admin's token, and the account of the admin page."""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
from argon2 import PasswordHasher

from local_stack.program import write_private

_VALID = timedelta(days=30)


def signing_secret(path: Path) -> str:
    """The secret kept in `path`, made when there is none."""
    kept = _kept(path)
    if "jwt_secret" not in kept:
        kept["jwt_secret"] = secrets.token_hex(32)
        _keep(path, kept)
    return kept["jwt_secret"]


def page_account(path: Path) -> tuple[str, str]:
    """The password of `admin` at the admin page and the account that goes with it, kept like the secret."""
    kept = _kept(path)
    if "page_account" not in kept:
        kept["page_password"] = secrets.token_urlsafe(12)
        kept["page_account"] = f"admin:admin:{PasswordHasher().hash(kept['page_password'])}"
        _keep(path, kept)
    return kept["page_password"], kept["page_account"]


def _kept(path: Path) -> dict[str, str]:
    return json.loads(path.read_text()) if path.exists() else {}


def _keep(path: Path, kept: Mapping[str, str]) -> None:
    write_private(path, json.dumps(kept) + "\n")


def admin_token(secret: str, settings: Mapping[str, str]) -> str:
    """A bearer token with the role admin, valid for 30 days, from the issuer and for the audience that are set.

    Of a secret with several lines the first signs.
    """
    claims: dict[str, Any] = {"sub": "local-admin", "role": "admin", "exp": datetime.now(UTC) + _VALID}
    for claim, setting in (("iss", "KABAR_JWT_ISSUER"), ("aud", "KABAR_JWT_AUDIENCE")):
        if settings.get(setting):
            claims[claim] = settings[setting]
    return jwt.encode(claims, secret.partition("\n")[0].strip(), algorithm="HS256")
