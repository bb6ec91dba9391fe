"""/livez, /readyz and /metrics, the same on every process."""

from collections.abc import Callable, Mapping

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

Check = Callable[[], bool]


def operations_routes(checks: Mapping[str, Check], registry: CollectorRegistry) -> list[Route]:
    """`/livez`: the process runs; `/readyz`: 503 naming what is away; `/metrics`: Prometheus' text format, in which
    each of the checks is 1 or 0, or OpenMetrics for whoever asks for that, which has exemplars.
    """
    passed = Gauge("readiness_check_passed", "1 while a check of /readyz passes.", ["check"], registry=registry)
    for name, check in checks.items():
        passed.labels(name).set_function(check)

    async def livez(_: Request) -> Response:
        return JSONResponse({"status": "alive"})

    async def readyz(_: Request) -> Response:
        states = {name: "ok" if check() else "unavailable" for name, check in checks.items()}
        ready = all(state == "ok" for state in states.values())
        return JSONResponse({"status": "ready" if ready else "not ready", "checks": states}, 200 if ready else 503)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    return [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]


def operations_app(checks: Mapping[str, Check], registry: CollectorRegistry) -> Starlette:
    """The whole HTTP application of a process that has no API."""
    return Starlette(routes=operations_routes(checks, registry))
