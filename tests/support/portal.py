"""A portal that takes webhooks, and answers as a test says."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import orjson


@dataclass(frozen=True)
class Post:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> dict[str, Any]:
        content: dict[str, Any] = orjson.loads(self.body)
        return content


@dataclass
class Portal:
    """`answers` are given in turn, the last one for ever; `held` lets no answer out until it is set."""

    url: str
    answers: list[int] = field(default_factory=lambda: [204])
    posts: list[Post] = field(default_factory=list)
    held: threading.Event | None = None

    def events(self) -> list[str]:
        return [post.content["type"] for post in self.posts]


@contextmanager
def portal(*answers: int, hold: bool = False) -> Iterator[Portal]:
    """A listening portal on this machine; stopped when the block ends."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            made.posts.append(Post(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if made.held is not None:
                made.held.wait(10)
            status = made.answers.pop(0) if len(made.answers) > 1 else made.answers[0]
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/elsewhere")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Portal(f"http://127.0.0.1:{server.server_port}/hook", list(answers) or [204])
    made.held = threading.Event() if hold else None
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        if made.held is not None:
            made.held.set()
        server.shutdown()
        server.server_close()
        thread.join()
