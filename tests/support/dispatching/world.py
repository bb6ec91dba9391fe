"""Everything a test of the running dispatcher needs: its servers, its processes, its gateways, its notifications."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from prometheus_client import CollectorRegistry

from common.contracts.documents import AudienceMember, DeliveryDocument, NotificationDocument
from common.contracts.events import NotificationAccepted
from common.messaging.broker import Broker
from common.messaging.broker import connect as connect_broker
from common.mongo.connection import Mongo
from common.mongo.connection import connect as connect_mongo
from common.topology.declarations import EVENTS
from tests.support.dispatching.gateway import Script, ScriptedGateway, scripted_gateway, takes_everything
from tests.support.dispatching.polling import until
from tests.support.dispatching.process import UNLIMITED, DispatcherProcess

SETTLED = ["sent", "failed", "cancelled", "expired", "suppressed", "unknown"]


@dataclass
class World:
    rabbitmq_url: str
    mongodb_url: str
    mongo: Mongo
    broker: Broker
    directory: Path
    stack: AsyncExitStack
    processes: list[DispatcherProcess] = field(default_factory=list)

    async def dispatcher(self, **settings: str) -> DispatcherProcess:
        """Start one more dispatcher and wait until it is connected; unlimited unless told otherwise."""
        environment = {"RABBITMQ_URL": self.rabbitmq_url, "MONGODB_URL": self.mongodb_url, **UNLIMITED, **settings}
        process = DispatcherProcess(environment, self.directory / f"dispatcher-{len(self.processes)}.log")
        self.processes.append(process)
        await process.connected()
        return process

    async def gateway(
        self, provider: str = "fonnte", script: Script = takes_everything, *, takes: bool = True, beats: bool = True,
        max_text_chars: int = 60_000,
    ) -> ScriptedGateway:  # fmt: skip
        """Start a gateway; it is stopped with the world."""
        return await self.stack.enter_async_context(
            scripted_gateway(
                provider,
                rabbitmq_url=self.rabbitmq_url,
                mongo=self.mongo,
                script=script,
                takes=takes,
                beats=beats,
                max_text_chars=max_text_chars,
            )
        )

    async def accept(self, *notifications: NotificationDocument, announce: bool = True) -> None:
        """Store notifications as the API does and tell about them, unless the envelope is to be lost."""
        await self.mongo["notifications"].insert_many(cast("list[dict[str, Any]]", list(notifications)))
        if announce:
            await self.announce(*notifications)

    async def announce(self, *notifications: NotificationDocument) -> None:
        event = NotificationAccepted(notification_ids=[notification["_id"] for notification in notifications])
        await self.broker.publish(EVENTS, event)

    async def store_pages(
        self, notification: NotificationDocument, pages: list[list[AudienceMember]], *, first: int = 0
    ) -> None:
        identity = notification["_id"]
        await self.mongo["audience_pages"].insert_many(
            [
                {
                    "_id": f"{identity}:{number}",
                    "notification_id": identity,
                    "members": members,
                    "created_at": notification["created_at"],
                }
                for number, members in enumerate(pages, start=first)
            ]
        )

    async def deliveries(self, **query: Any) -> list[DeliveryDocument]:
        cursor = self.mongo["deliveries"].find(query).sort("position", 1)
        return cast("list[DeliveryDocument]", await cursor.to_list(None))

    async def delivery(self, **query: Any) -> DeliveryDocument:
        (only,) = await self.deliveries(**query)
        return only

    async def count(self, **query: Any) -> int:
        return await self.mongo["deliveries"].count_documents(query)

    async def metric_reaches(self, value: float, name: str, **labels: str) -> None:
        """Wait until a metric, summed over the dispatchers that run, is at least so much."""

        async def has() -> bool:
            return sum([await p.metric(name, **labels) for p in self.processes if p.alive]) >= value

        await until(has, every=0.1)

    async def settled(self, count: int, *, seconds: float = 20.0) -> list[DeliveryDocument]:
        """Wait until so many deliveries have come to an end, and answer all of them."""

        async def have_settled() -> bool:
            return await self.count(status={"$in": SETTLED}) >= count

        await until(have_settled, seconds=seconds)
        return await self.deliveries()

    async def becomes(self, count: int = 1, *, seconds: float = 20.0, **query: Any) -> list[DeliveryDocument]:
        """Wait until so many deliveries look like this."""

        async def look() -> list[DeliveryDocument]:
            found = await self.deliveries(**query)
            return found if len(found) >= count else []

        return await until(look, seconds=seconds)


@asynccontextmanager
async def world(rabbitmq_url: str, mongodb_url: str, directory: Path) -> AsyncIterator[World]:
    """A world whose processes are gone when it ends."""
    async with AsyncExitStack() as stack:
        mongo = await stack.enter_async_context(connect_mongo(mongodb_url, name="test"))
        await mongo.create_indexes()
        broker = await stack.enter_async_context(
            connect_broker(rabbitmq_url, name="test", registry=CollectorRegistry())
        )
        connection = asyncio.create_task(broker.run())
        made = World(rabbitmq_url, mongodb_url, mongo, broker, directory, stack)
        try:
            yield made
        finally:
            for process in made.processes:
                process.kill()
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)
