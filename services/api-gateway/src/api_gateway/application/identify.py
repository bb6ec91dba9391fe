"""Find out who asks."""

from dataclasses import dataclass
from typing import Protocol

from api_gateway.application.verify_api_keys import VerifyApiKeys
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import Code, Unauthenticated


class Tokens(Protocol):
    async def caller(self, authorization: str) -> Caller:
        """Who an `Authorization` header names; raises `Unauthenticated` saying what is wrong with it."""


@dataclass(frozen=True)
class Identify:
    """People come with a token, services with a key."""

    tokens: Tokens
    verify_key: VerifyApiKeys

    async def __call__(self, authorization: str | None, api_key: str | None) -> Caller:
        """Raises `Unauthenticated`."""
        if api_key is None:
            if authorization is None:
                raise _refused("send the header Authorization: Bearer <token>, or X-API-Key with a service's key")
            return await self.tokens.caller(authorization)
        if authorization is not None:
            raise _refused("send either Authorization or X-API-Key, not both")
        return await self.verify_key(api_key)


def _refused(error: str) -> Unauthenticated:
    return Unauthenticated(Code.UNAUTHENTICATED, error)
