"""Whoever looks is told soon that the database is away."""

from starlette.types import ASGIApp, Receive, Scope, Send

from common.mongo.connection import within

LOOK_SECONDS = 3.0
UNBOUNDED = frozenset({"/admin/conservation"})
"""Counts everything there is."""


class Bounded:
    """An ASGI application around another one: all a GET asks of the database together takes seconds at most."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or scope["path"] in UNBOUNDED:
            await self._app(scope, receive, send)
            return
        with within(LOOK_SECONDS):
            await self._app(scope, receive, send)
