"""What is counted and timed of a request."""

import asyncio
from dataclasses import dataclass

import pytest
from prometheus_client import CollectorRegistry
from starlette.types import Message, Receive, Scope, Send

from api_gateway.entrypoints.measuring import Measured


@dataclass(frozen=True)
class Matched:
    path: str = "/live"


async def nothing() -> Message:
    return {"type": "http.disconnect"}


async def taken(_: Message) -> None: ...


def scope() -> Scope:
    return {"type": "http", "method": "GET", "path": "/live", "headers": []}


def counted(registry: CollectorRegistry, status: int) -> tuple[float | None, float | None]:
    labels = {"method": "GET", "route": "/live", "status": str(status)}
    return (
        registry.get_sample_value("http_request_total", labels),
        registry.get_sample_value("http_request_duration_seconds_count", {"route": "/live"}),
    )


async def test_what_is_answered_for_hours_took_as_long_as_until_its_answer_began() -> None:
    registry, began, over = CollectorRegistry(), asyncio.Event(), asyncio.Event()

    async def live(scope: Scope, _: Receive, send: Send) -> None:
        scope["route"] = Matched()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        began.set()
        await over.wait()
        await send({"type": "http.response.body", "body": b""})

    watching = asyncio.create_task(Measured(live, registry)(scope(), nothing, taken))
    await began.wait()
    assert counted(registry, 200) == (1, 1)
    over.set()
    await watching
    assert counted(registry, 200) == (1, 1)


async def test_what_is_never_answered_counts_as_failed() -> None:
    registry = CollectorRegistry()

    async def broken(scope: Scope, _: Receive, __: Send) -> None:
        scope["route"] = Matched()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await Measured(broken, registry)(scope(), nothing, taken)
    assert counted(registry, 500) == (1, 1)
