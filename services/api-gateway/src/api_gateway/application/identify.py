"""Find out who asks."""

from dataclasses import dataclass
from typing import Protocol

from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Unauthenticated


class Tokens(Protocol):
    async def caller(self, authorization: str) -> Caller:
        """Who an `Authorization` header names; raises `Unauthenticated` saying what is wrong with it."""


@dataclass(frozen=True)
class Identify:
    tokens: Tokens

    async def __call__(self, authorization: str | None, api_key: str | None) -> Caller:
        """Raises `Unauthenticated`."""
        if authorization is not None and api_key is not None:
            raise _refused("send either Authorization or X-API-Key, not both")
        if authorization is None:
            raise _refused("send the header Authorization: Bearer <token>")
        return await self.tokens.caller(authorization)


def _refused(error: str) -> Unauthenticated:
    return Unauthenticated(Code.UNAUTHENTICATED, error)
