"""Which programs of our own there are, and how one is started."""

import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Service:
    """One of our programs; `command` starts one process of it."""

    name: str
    command: tuple[str, ...]
    # The module whose settings it reads at start; none when there is nothing to read before.
    settings: str = ""
    # All its processes listen on the same port (SO_REUSEPORT), the public one.
    public: bool = False

    @property
    def replicas_setting(self) -> str:
        return f"KABAR_REPLICAS_{self.name.upper().replace('-', '_')}"


def python_service(name: str, *, public: bool = False) -> Service:
    """The service whose package is called as it is, started out of this interpreter's environment."""
    package = name.replace("-", "_")
    return Service(name, (sys.executable, "-m", package), f"{package}.settings", public)


SERVICES = (
    python_service("api-gateway", public=True),
    python_service("dispatcher"),
    python_service("scheduler"),
    python_service("gateway-fonnte"),
    python_service("gateway-wablas"),
    python_service("gateway-email"),
)
SANDBOX = python_service("sandbox")
