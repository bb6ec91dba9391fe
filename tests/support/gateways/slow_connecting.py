"""A provider that takes its time to be connected to: TLS in front of the sandbox, late to shake hands."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import trustme


@dataclass
class SlowConnecting:
    """Stands at `https://localhost:{port}`; `settings` are those of a gateway that is to come through it."""

    settings: dict[str, str]
    connected: int = 0


@asynccontextmanager
async def slow_connecting(account: dict[str, str], *, seconds: float, directory: Path) -> AsyncIterator[SlowConnecting]:
    """Stand before the sandbox that `account` points a gateway at, and begin to secure after so many `seconds`."""
    [address] = [urlsplit(value) for name, value in account.items() if name.endswith("_URL")]
    authority, theirs = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(theirs)
    trusted = directory / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setblocking(False)  # noqa: FBT003 - socket's own signature
    here = f"https://localhost:{listening.getsockname()[1]}"
    settings = {name: value.replace(f"http://{address.netloc}", here) for name, value in account.items()}
    front = SlowConnecting({**settings, "SSL_CERT_FILE": str(trusted)})
    loop = asyncio.get_running_loop()

    async def bring(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        front.connected += 1
        theirs_reader, theirs_writer = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(_pour(reader, theirs_writer), _pour(theirs_reader, writer))

    async def secure(accepted: socket.socket) -> None:
        reader = asyncio.StreamReader()
        try:
            await asyncio.sleep(seconds)
            await loop.connect_accepted_socket(
                lambda: asyncio.StreamReaderProtocol(reader, bring), accepted, ssl=theirs
            )
        except OSError:
            accepted.close()  # it did not wait
        except asyncio.CancelledError:
            accepted.close()
            raise

    async def accept() -> None:
        async with asyncio.TaskGroup() as securing:
            while True:
                accepted, _ = await loop.sock_accept(listening)
                securing.create_task(secure(accepted))

    accepting = asyncio.create_task(accept())
    try:
        yield front
    finally:
        accepting.cancel()
        with suppress(asyncio.CancelledError):
            await accepting
        listening.close()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while part := await reader.read(65_536):
            writer.write(part)
            await writer.drain()
    writer.close()
