"""Who asks is known before anything of a request is looked at."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request

from api_gateway.domain.access import ADMINS, DISPATCHERS, EVERYONE, OPERATORS, Caller, Scope, demand
from api_gateway.domain.refusals import Code, Problem, Refused
from api_gateway.entrypoints.uses import uses
from common.contracts.vocabulary import Role

KEY_HEADER = "X-API-Key"
MOST_PROBLEMS = 10


async def authenticated(request: Request) -> Caller:
    """The caller a valid token or key names, whatever it may do."""
    caller = await identified(request)
    refuse_unknown_parameters(request)
    return caller


def having(roles: Sequence[Role], *, scope: Scope | None = None) -> Callable[[Request], Awaitable[Caller]]:
    """The caller, who has one of these roles or, where a scope is named, a key of that scope."""

    async def permitted(request: Request) -> Caller:
        caller = await identified(request)
        demand(caller, roles, scope=scope)
        refuse_unknown_parameters(request)
        return caller

    return permitted


async def identified(request: Request) -> Caller:
    """Who a request comes from, and from where; raises `Unauthenticated`."""
    caller = await uses(request).identify(request.headers.get("authorization"), request.headers.get(KEY_HEADER))
    return replace(caller, address=None if request.client is None else request.client.host)


def refuse_unknown_parameters(request: Request) -> None:
    """Raise `Refused`: a misspelt filter must not be taken for none."""
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
"""Any person; no key."""
Admin = Annotated[Caller, Depends(having(ADMINS))]
Dispatcher = Annotated[Caller, Depends(having(DISPATCHERS, scope=Scope.DELIVERIES_WRITE))]
Operator = Annotated[Caller, Depends(having(OPERATORS))]
DeliveryReader = Annotated[Caller, Depends(having(EVERYONE, scope=Scope.DELIVERIES_READ))]
DeadDeliveryReader = Annotated[Caller, Depends(having(DISPATCHERS, scope=Scope.DELIVERIES_READ))]
NotificationReader = Annotated[Caller, Depends(having(EVERYONE, scope=Scope.NOTIFICATIONS_READ))]
QueueReader = Annotated[Caller, Depends(having(OPERATORS, scope=Scope.QUEUE_READ))]
TemplateReader = Annotated[Caller, Depends(having(EVERYONE, scope=Scope.TEMPLATES_READ))]
SenderReader = Annotated[Caller, Depends(having(OPERATORS, scope=Scope.SENDERS_READ))]
