"""A stack whose services are tiny stand-ins, so that it starts in a moment and depends on no service's code."""

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from local_stack import services
from local_stack.services import Service
from local_stack.stack import Stack

_HERE = Path(__file__).parent
_STAND_IN = (sys.executable, str(_HERE / "stand_in_service.py"))
SERVICES = tuple(replace(service, command=_STAND_IN) for service in services.SERVICES)
CRASHING = Service("dispatcher", (sys.executable, "-c", "raise SystemExit('cannot start: no luck')"))
SERVICES_WITH_A_CRASHING_ONE = tuple(CRASHING if each.name == CRASHING.name else each for each in SERVICES)


def stand_in_stack(
    directory: Path,
    values: Mapping[str, str],
    *,
    services: tuple[Service, ...] = SERVICES,
    preferred_port: int | None = None,
    watched: bool = False,
) -> Stack:
    """A stack of stand-ins in `directory` that nothing but `values` configures."""
    # Another tree than the project's: an edit of a service's code while a test runs must not restart anything.
    return Stack(
        directory,
        values,
        services=services,
        sandbox=_SANDBOX,
        preferred_port=preferred_port,
        tree=_HERE,
        watched=watched,
    )


_SANDBOX = replace(services.SANDBOX, command=_STAND_IN)
