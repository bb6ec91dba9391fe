"""Listening and serving until told to stop."""

import gc
import json
import logging
import socket
import sys
from datetime import UTC, datetime

import uvicorn
import uvloop

from sandbox.application import Application
from sandbox.settings import Settings
from sandbox.wire.protocol import StampingProtocol
from sandbox.world import World

log = logging.getLogger("sandbox")


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, event and the fields given as ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["error"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def write_lines() -> None:
    """Log to stdout. Of libraries warnings alone: httpx tells every address it calls, and a webhook's is a secret."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    log.setLevel(logging.INFO)


def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT; the first log line says where, as ``host`` and ``port``."""
    write_lines()
    listener = socket.create_server((settings.http_host, settings.http_port), backlog=2048)
    # The ledger only grows: walking all of it now and then would only make answers late.
    gc.freeze()
    gc.set_threshold(50_000, 50, 1_000)
    world = World(settings)
    config = uvicorn.Config(
        Application(world),
        http=StampingProtocol,
        # As long as a common reverse proxy: a shorter one closes connections just as a client writes to them.
        timeout_keep_alive=75,
        lifespan="off",
        proxy_headers=False,
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    uvloop.run(_serve(uvicorn.Server(config), world, listener))


async def _serve(server: uvicorn.Server, world: World, listener: socket.socket) -> None:
    mails = await world.post.listen(*world.mail_address)
    world.mail_address = mails.sockets[0].getsockname()[:2]
    host, port = listener.getsockname()[:2]
    log.info("sandbox.listening", extra={"fields": {"host": host, "port": port, "mail_port": world.mail_address[1]}})
    await server.serve(sockets=[listener])
    mails.close()
