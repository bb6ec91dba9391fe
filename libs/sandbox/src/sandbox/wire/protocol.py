"""uvicorn's HTTP protocol, plus the two things a simulator needs from below ASGI: the time and the transport."""

import time

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class StampingProtocol(HttpToolsProtocol):
    """Notes when a request's first byte was parsed, and hands the transport to the application.

    ``scope["received_at"]`` is Unix seconds with microseconds; ``scope["transport"]`` is the connection's transport,
    which a fault may reset. Taken here and not in the application because a busy loop starts that one later.
    """

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["received_at"] = time.time()  # type: ignore[typeddict-unknown-key]  # our own scope keys
        self.scope["transport"] = self.transport  # type: ignore[typeddict-unknown-key]  # our own scope keys
