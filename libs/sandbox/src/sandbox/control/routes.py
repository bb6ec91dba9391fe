"""The routes of ``/control``, ``/mail``, ``/livez`` and ``/readyz``."""

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from sandbox.control.answering import OrjsonResponse, RefusedError, http_error, refused
from sandbox.control.devices import Devices
from sandbox.control.dialects import Clocks, Paces, RecipientFaults, Variants
from sandbox.control.faults import FaultById, Faults, Reasons
from sandbox.control.mail import MailAddress, MailByIndex, Mails
from sandbox.control.reading import Accepted, Calls, Counts
from sandbox.control.webhooks import IncomingEvents, Journal, StatusEvents, Webhooks

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from sandbox.world import World


async def alive(_: "Request") -> "Response":
    return OrjsonResponse({"status": "ok"})


async def reset(request: "Request") -> "Response":
    """Back to the state at the start."""
    world: World = request.app.state.world
    world.reset()
    return OrjsonResponse({"reset": True})


async def contents(request: "Request") -> "Response":
    """What there is, for whoever explores with curl."""
    return OrjsonResponse(
        {
            "routes": [
                {"path": route.path, "methods": sorted(route.methods or [])}
                for route in request.app.routes
                if isinstance(route, Route)
            ]
        }
    )


def control_application(world: "World") -> Starlette:
    """A Starlette application over that world."""
    application = Starlette(
        routes=[
            Route("/livez", alive),
            Route("/readyz", alive),
            Route("/control", contents),
            Route("/control/reset", reset, methods=["POST"]),
            Route("/control/faults", Faults),
            Route("/control/faults/{fault_id:int}", FaultById),
            Route("/control/reasons", Reasons),
            Route("/control/devices", Devices),
            Route("/control/variants/{provider}", Variants),
            Route("/control/pace/{provider}", Paces),
            Route("/control/clock", Clocks),
            Route("/control/recipient-faults", RecipientFaults),
            Route("/control/webhooks/{provider}", Webhooks),
            Route("/control/webhooks/{provider}/status", StatusEvents),
            Route("/control/webhooks/{provider}/incoming", IncomingEvents),
            Route("/control/webhooks/{provider}/journal", Journal),
            Route("/control/accepted", Accepted),
            Route("/control/calls", Calls),
            Route("/control/counts", Counts),
            Route("/mail", MailAddress),
            Route("/mail/messages", Mails),
            Route("/mail/messages/{index:int}", MailByIndex),
        ],
        exception_handlers={RefusedError: refused, HTTPException: http_error},
    )
    application.state.world = world
    return application
