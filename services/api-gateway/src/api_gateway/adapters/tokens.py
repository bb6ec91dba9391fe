"""JSON Web Tokens, verified once and remembered until they expire."""

import contextlib
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

import jwt

from api_gateway.adapters.jwks import ALGORITHMS, VerifyingKey
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Unauthenticated, Unavailable, unavailable
from api_gateway.domain.session import fingerprint
from common.kernel.failures import Transient

REMEMBERED = 10_000
"""Tokens kept; the longest unused goes first."""
MOST_TOKEN_CHARACTERS = 4_096
LATEST_EXPIRY = 2**53
"""An `exp` may be any integer; from here on a float cannot hold it exactly, and far beyond not at all."""
LATEST_MOMENT = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
LEEWAY_SECONDS = 30
"""How far an issuer's clock may be off."""


class PublicKeys(Protocol):
    """`generation` changes when any of them does."""

    @property
    def generation(self) -> int: ...

    async def find(self, key_id: str) -> VerifyingKey | None: ...

    async def all(self) -> Collection[VerifyingKey]: ...


@dataclass(frozen=True)
class Rules:
    """Whose tokens are taken: signed with a secret (HS256) or with one of the issuer's keys, for these claims."""

    secrets: tuple[str, ...] = ()
    keys: PublicKeys | None = None
    issuer: str | None = None
    audience: str | None = None


@dataclass(frozen=True)
class _Verified:
    """`signed_with` is the fingerprint of a key, `generation` that of the issuer's keys then."""

    caller: Caller
    expires: float
    signed_with: str
    generation: int


class Tokens:
    """Tells who a bearer token belongs to. `sub`, `role` and `exp` are required; the algorithm follows the key."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._verified: OrderedDict[str, _Verified] = OrderedDict()

    def trust(self, secrets: tuple[str, ...]) -> None:
        """From now on these and no others: who signs with one that is gone is refused at once."""
        self._rules = replace(self._rules, secrets=secrets)
        self._verified.clear()

    async def caller(self, authorization: str) -> Caller:
        """Who the `Authorization` header names; raises `Unauthenticated` saying what is wrong with it."""
        return (await self._known(authorization)).caller

    async def timed(self, authorization: str) -> tuple[Caller, datetime, str]:
        """The same, until when the token is valid, and the fingerprint of what it is signed with."""
        known = await self._known(authorization)
        return known.caller, datetime.fromtimestamp(min(known.expires, LATEST_MOMENT), UTC), known.signed_with

    async def trusts(self, signed_with: str) -> bool:
        """Whether what has this fingerprint still verifies tokens; raises `Unavailable` while nobody can tell."""
        if signed_with in map(fingerprint, self._rules.secrets):
            return True
        if self._rules.keys is None:
            return False
        try:
            return signed_with in [key.fingerprint for key in await self._rules.keys.all()]
        except Transient as error:
            raise _not_now() from error

    async def _known(self, authorization: str) -> _Verified:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MOST_TOKEN_CHARACTERS:
            raise _refused("the header must read Authorization: Bearer <token>")
        known = self._verified.get(token)
        generation = 0 if self._rules.keys is None else self._rules.keys.generation
        if known is not None and known.expires > time.time() and known.generation == generation:
            self._verified.move_to_end(token)
            return known
        known = await self._verify(token, generation)
        self._verified[token] = known
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return known

    async def _verify(self, token: str, generation: int) -> _Verified:
        keys, algorithm = await self._keys(token)
        try:
            claims, signed_with = self._decode(token, keys, algorithm)
            expires = float(min(int(claims["exp"]), LATEST_EXPIRY)) + LEEWAY_SECONDS
        except jwt.ExpiredSignatureError as error:
            raise _refused("the token has expired; get a new one") from error
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"the token lacks the claim {error.claim}") from error
        except jwt.InvalidIssuerError as error:
            raise _refused("the token comes from another issuer than the one trusted here") from error
        except jwt.InvalidAudienceError as error:
            raise _refused("the token is meant for another audience") from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refused("the token is not valid here") from error
        return _Verified(_named(claims), expires, signed_with, generation)

    def _decode(self, token: str, keys: Mapping[str, Any], algorithm: str) -> tuple[dict[str, Any], str]:
        """Its claims, by the first of the keys that it is signed with, and which that is; raises what jwt raises."""
        rules = self._rules
        for signed_with, key in keys.items():
            with contextlib.suppress(jwt.InvalidSignatureError):
                claims: dict[str, Any] = jwt.decode(
                    token,
                    key,
                    algorithms=[algorithm],
                    issuer=rules.issuer,
                    audience=rules.audience,
                    leeway=LEEWAY_SECONDS,
                    options={"require": ["sub", "role", "exp"], "verify_aud": rules.audience is not None},
                )
                return claims, signed_with
        raise jwt.InvalidSignatureError("signed with none of these")

    async def _keys(self, token: str) -> tuple[Mapping[str, Any], str]:
        """What to verify with, by fingerprint, and the one algorithm that goes with it, whatever else the token asks
        for.
        """
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise _refused("the token is not valid here") from error
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._rules.secrets and "crit" not in header:
            return {fingerprint(secret): secret for secret in self._rules.secrets}, "HS256"
        if algorithm not in ALGORITHMS or self._rules.keys is None or "crit" in header:
            raise _refused("the token is not valid here")
        if not isinstance(key_id, str) or not key_id:
            raise _refused("the token's header lacks kid, the id of the key it is signed with")
        try:
            found = await self._rules.keys.find(key_id)
        except Transient as error:
            raise _not_now() from error
        if found is None or found.algorithm != algorithm:
            raise _refused("the token is signed with a key that is not known here")
        return {found.fingerprint: found.key}, found.algorithm


def _named(claims: dict[str, Any]) -> Caller:
    for claim in ("sub", "role"):
        text = claims[claim]
        if not isinstance(text, str) or not text.isprintable() or (claim == "sub" and not text):
            raise _refused(f"the token's claim {claim} must be a text")
    return Caller(claims["sub"][:200], claims["role"][:40])


def _not_now() -> Unavailable:
    return unavailable("tokens cannot be verified now; ask again in a moment")


def _refused(error: str) -> Unauthenticated:
    return Unauthenticated(Code.UNAUTHENTICATED, error)
