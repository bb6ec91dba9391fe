"""TCP ports: which are free, and which ones this machine chose before."""

import json
import random
import socket
from pathlib import Path

# Below Linux' range for outgoing connections (32768 and up), so that a restarted server never finds its port
# taken by somebody's client.
RANGE = range(20_000, 32_001)
_ATTEMPTS = 500


class NoFreePortError(RuntimeError):
    """Every port that was tried is taken."""


def is_free(port: int) -> bool:
    """Whether nobody listens on `port`, on any IPv4 address of this machine."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 -- bound for an instant and never listened on
        except OSError:
            return False
    return True


def free_port(taken: frozenset[int] = frozenset()) -> int:
    """A port that nobody listens on and that is not in `taken`."""
    for _ in range(_ATTEMPTS):
        port = random.choice(RANGE)  # noqa: S311 -- two stacks must not pick the same, no secret
        if port not in taken and is_free(port):
            return port
    raise NoFreePortError(f"no free port between {RANGE[0]} and {RANGE[-1]}")


class Ports:
    """The ports of one stack by name, kept in a file so that a restart listens where it did before."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._numbers: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}

    def __getitem__(self, name: str) -> int:
        return self._numbers[name]

    def get(self, name: str) -> int | None:
        return self._numbers.get(name)

    def keep(self, name: str, *, running: bool = False, preferred: int | None = None) -> int:
        """The port of `name`: the one it had, unless somebody else listens there meanwhile.

        `running` says that `name` itself listens there, so that its port is taken rightly.
        """
        known = self._numbers.get(name)
        if known is not None and (running or is_free(known)):
            return known
        others = frozenset(number for other, number in self._numbers.items() if other != name)
        free = preferred is not None and preferred not in others and is_free(preferred)
        return self.put(name, preferred if free and preferred is not None else free_port(others))

    def put(self, name: str, port: int) -> int:
        self._numbers[name] = port
        self._path.write_text(json.dumps(self._numbers, indent=2, sort_keys=True) + "\n")
        return port
