"""XML-RPC over a unix socket: how the supervisor is asked and told."""

import http.client
import socket
from contextlib import closing
from pathlib import Path
from typing import Any
from xmlrpc.client import dumps, loads

_SECONDS = 30.0


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(_SECONDS)
        self.sock.connect(str(self._path))


def call(path: Path, method: str, *arguments: str | bool) -> Any:
    """The answer of the supervisor that listens on the socket `path`.

    Raises OSError when none does, xmlrpc.client.Fault when it refuses.
    """
    body = dumps(arguments, f"supervisor.{method}")
    with closing(_UnixConnection(path)) as connection:
        try:
            connection.request("POST", "/RPC2", body, {"Content-Type": "text/xml"})
            answer = connection.getresponse().read()
        except http.client.HTTPException as error:
            raise ConnectionError("the supervisor ended while it was asked") from error
    (value,), _ = loads(answer)
    return value
