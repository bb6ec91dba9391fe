"""Stands in for any service: says it is ready and shows the environment it was started with.

python -m tests.support.stand_in_service
"""

import json
import os
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(dict(os.environ)).encode())

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Write nothing."""


class _Server(ThreadingHTTPServer):
    def server_bind(self) -> None:
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _Server(("127.0.0.1", int(os.environ["KABAR_HTTP_PORT"])), _Answers).serve_forever()
