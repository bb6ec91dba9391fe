"""JSON Web Tokens, verified once and remembered until they expire."""

import time
from collections import OrderedDict

import jwt

from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Unauthenticated

REMEMBERED = 10_000
"""Tokens kept; the longest unused goes first."""
MOST_TOKEN_CHARACTERS = 4_096


class Tokens:
    """Tells who a bearer token belongs to. HS256 only; `sub`, `role` and `exp` are required."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._verified: OrderedDict[str, tuple[Caller, float]] = OrderedDict()

    async def caller(self, authorization: str) -> Caller:
        """Who the `Authorization` header names; raises `Unauthenticated` saying what is wrong with it."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token or len(token) > MOST_TOKEN_CHARACTERS:
            raise _refused("the header must read Authorization: Bearer <token>")
        known = self._verified.get(token)
        if known is not None and known[1] > time.time():
            self._verified.move_to_end(token)
            return known[0]
        caller, expires = self._verify(token)
        self._verified[token] = (caller, expires)
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return caller

    def _verify(self, token: str) -> tuple[Caller, float]:
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                options={"require": ["sub", "role", "exp"], "verify_aud": False},
            )
        except jwt.ExpiredSignatureError as error:
            raise _refused("the token has expired; get a new one") from error
        except jwt.MissingRequiredClaimError as error:
            raise _refused(f"the token lacks the claim {error.claim}") from error
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise _refused("the token is not valid here") from error
        if not isinstance(claims["role"], str):
            raise _refused("the token's claim role must be a text")
        return Caller(claims["sub"][:200], claims["role"][:40]), float(claims["exp"])


def _refused(error: str) -> Unauthenticated:
    return Unauthenticated(Code.UNAUTHENTICATED, error)
