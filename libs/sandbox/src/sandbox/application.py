"""The ASGI application: providers on a bare path of their own because they are the busy ones, the rest in Starlette."""

import time
from typing import TYPE_CHECKING

from sandbox.control.routes import control_application
from sandbox.faults.enactment import enact
from sandbox.wire.exchange import Exchange

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from sandbox.request import Provider
    from sandbox.world import World


class Application:
    """Routes ``/fonnte/...`` and ``/wablas/...`` to the providers and everything else to the control API."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._control = control_application(world)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.startswith("/fonnte/"):
                await self._provide(self._world.fonnte, Exchange(scope, receive, send))
                return
            if path.startswith("/wablas/"):
                await self._provide(self._world.wablas, Exchange(scope, receive, send))
                return
        await self._control(scope, receive, send)

    async def _provide(self, provider: "Provider", exchange: Exchange) -> None:
        if not await exchange.read():
            return
        request = provider.read(exchange)
        call = request.call
        fault = self._world.faults.choose(request)
        if fault is None:
            answer = provider.answer(request)
        else:
            call.fault = fault.kind
            enacted = await enact(fault, provider, request)
            if enacted is None:
                return
            answer = enacted
        courier = self._world.couriers[provider.name]
        if courier.subscription is not None and courier.subscription.before_answer:
            await courier.drained()
        call.http_status = answer.status
        await exchange.answer(answer)
        call.answered_at = time.time()
