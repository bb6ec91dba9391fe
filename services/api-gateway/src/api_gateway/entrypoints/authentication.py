"""Who asks is known before anything of a request is looked at."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import Depends, Request

from api_gateway.domain.access import DISPATCHERS, EVERYONE, OPERATORS, Caller, Role, demand
from api_gateway.entrypoints.uses import uses


async def authenticated(request: Request) -> Caller:
    """The caller a valid token names, whatever the role."""
    return uses(request).identify(request.headers.get("authorization"))


def having(roles: Sequence[Role]) -> Callable[[Request], Awaitable[Caller]]:
    """The caller, who has one of these roles."""

    async def permitted(request: Request) -> Caller:
        caller = await authenticated(request)
        demand(caller, roles)
        return caller

    return permitted


AnyCaller = Annotated[Caller, Depends(authenticated)]
Reader = Annotated[Caller, Depends(having(EVERYONE))]
Dispatcher = Annotated[Caller, Depends(having(DISPATCHERS))]
Operator = Annotated[Caller, Depends(having(OPERATORS))]
