"""Who asks is known before anything of a request is looked at."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import Depends, Request

from api_gateway.domain.access import DISPATCHERS, EVERYONE, OPERATORS, Caller, demand
from api_gateway.domain.refusals import Code, Problem, Refused
from api_gateway.entrypoints.uses import uses
from common.contracts.vocabulary import Role

MOST_PROBLEMS = 10


async def authenticated(request: Request) -> Caller:
    """The caller a valid token names, whatever the role."""
    caller = uses(request).identify(request.headers.get("authorization"))
    _refuse_unknown_parameters(request)
    return caller


def having(roles: Sequence[Role]) -> Callable[[Request], Awaitable[Caller]]:
    """The caller, who has one of these roles."""

    async def permitted(request: Request) -> Caller:
        caller = uses(request).identify(request.headers.get("authorization"))
        demand(caller, roles)
        _refuse_unknown_parameters(request)
        return caller

    return permitted


def _refuse_unknown_parameters(request: Request) -> None:
    """A misspelt filter must not be taken for none."""
    known = [parameter.alias for parameter in request.scope["route"].dependant.query_params]
    problems = [
        Problem(name[:40], _unknown(known)) for name in dict.fromkeys(request.query_params) if name not in known
    ]
    if problems:
        text = "; ".join(f"{ascii(one.field)[1:-1]}: {one.error}" for one in problems[:MOST_PROBLEMS])
        raise Refused(Code.VALIDATION_ERROR, text, problems[:MOST_PROBLEMS])


def _unknown(known: Sequence[str]) -> str:
    return f"unknown parameter; known are {', '.join(known)}" if known else "this request takes no parameters"


AnyCaller = Annotated[Caller, Depends(authenticated)]
Reader = Annotated[Caller, Depends(having(EVERYONE))]
Dispatcher = Annotated[Caller, Depends(having(DISPATCHERS))]
Operator = Annotated[Caller, Depends(having(OPERATORS))]
