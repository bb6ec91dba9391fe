"""What changes is sent to who watches, as server-sent events."""

from collections.abc import AsyncIterator

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from api_gateway.domain.session import Session
from api_gateway.entrypoints.pages.addresses import HOME
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.picture import drawn
from api_gateway.entrypoints.pages.visitors import Operator
from api_gateway.entrypoints.uses import Uses, uses

router = APIRouter(prefix=HOME, route_class=PageRoute, include_in_schema=False)
SILENCE_SECONDS = 10.0
"""After so long without news it is said that there are none: the database is away, or the browser."""
RETRY_MILLISECONDS = 1_000
"""A browser that lost us comes back after it."""
_UNBUFFERED = {"X-Accel-Buffering": "no"}


@router.get("/live")
async def watch(request: Request, visitor: Operator) -> Response:
    events = _events(uses(request), visitor.session)
    return StreamingResponse(events, media_type="text/event-stream", headers=_UNBUFFERED)


async def _events(use: Uses, session: Session) -> AsyncIterator[str]:
    """First everything, then every part that looks different than before, until the session or the process ends."""
    told: dict[str, str] = {}
    with use.watchers.watching(session) as it_may:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        picture = await use.watch_queue.picture()
        while not use.watch_queue.stopping.is_set():
            if not it_may() or use.clock.now() >= session.expires_at:
                yield _event("signed-out", "")
                return
            for part, html in drawn(use, picture).items():
                if told.get(part) != html:
                    told[part] = html
                    yield _event(part, html)
            newer = await use.watch_queue.newer(picture, seconds=SILENCE_SECONDS)
            yield _event("silence" if newer is None else "news", "")
            picture = newer or picture


def _event(name: str, text: str) -> str:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{lines}\n"
