"""The connection to MongoDB."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from prometheus_client import CollectorRegistry
from pymongo import ReturnDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    OperationFailure,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
)
from pymongo.operations import IndexModel, InsertOne, UpdateMany, UpdateOne

from common.mongo.collection import DUPLICATE_KEY, Collection, Document, WriteFailed, WriteUnconfirmed
from common.mongo.indexes import INDEXES
from common.mongo.measuring import CommandTimes
from common.telemetry.logs import clean, logger

UNAVAILABLE: tuple[type[Exception], ...] = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
    WriteUnconfirmed,
)
"""What is raised while MongoDB is away; the same operation succeeds once it is back."""
PING_SECONDS = 2.0
"""A server that does not answer so long is said to be away."""
INDEX_CONFLICTS = {85, 86}
"""An index of this name is there with other keys or options."""
within = pymongo.timeout
"""`with within(seconds):` bounds every operation inside, retries included."""
log = logger()

__all__ = ["DUPLICATE_KEY", "UNAVAILABLE", "BulkWriteError", "Collection", "Document", "DuplicateKeyError", "InsertOne",
           "Mongo", "ReturnDocument", "UpdateMany", "UpdateOne", "WriteFailed", "connect", "within"]  # fmt: skip


class Mongo:
    """One client; every write is acknowledged by the majority."""

    def __init__(self, url: str, *, name: str, registry: CollectorRegistry | None = None) -> None:
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            appname=name,
            w="majority",
            retryWrites=True,
            serverSelectionTimeoutMS=3_000,
            connectTimeoutMS=2_000,
            timeoutMS=10_000,
            maxPoolSize=40,
            event_listeners=[] if registry is None else [CommandTimes(registry)],
        )
        self.database: AsyncIOMotorDatabase[Document] = self.client.get_default_database("kabar").with_options(
            codec_options=CodecOptions(tz_aware=True)
        )
        self.ready = False

    def __getitem__(self, collection: str) -> Collection:
        return Collection(self.database, collection)  # type: ignore[arg-type]  # the stubs ask for the driver's own

    async def time(self) -> datetime:
        """The server's clock, cut to the millisecond."""
        answer = await self.client.admin.command("hello")
        told: datetime = answer["localTime"]
        return told.replace(tzinfo=UTC)

    async def space(self) -> tuple[int, int]:
        """Of the file system its data are on: bytes used, and bytes there are."""
        told = await self.database.command("dbStats")
        return int(told["fsUsedSize"]), int(told["fsTotalSize"])

    async def watch(self) -> None:
        """Create the indexes as soon as the server is there, then keep `ready` true to what is; until cancelled."""
        indexed = False
        while True:
            try:
                if indexed:
                    with within(PING_SECONDS):
                        await self.client.admin.command("ping")
                else:
                    await self.create_indexes()
                    indexed = True
                if not self.ready:
                    log.info("mongodb.connected")
                self.ready = True
            except UNAVAILABLE as error:
                if self.ready:
                    log.warning("mongodb.unreachable", reason=clean(str(error))[:300])
                self.ready = False
            await asyncio.sleep(1)

    async def create_indexes(self) -> None:
        """Create what is missing; an index that is declared in another way than before is made anew."""
        # Processes that start together on an empty server wait for one another at each collection they meet at.
        for collection, models in random.sample(list(INDEXES.items()), len(INDEXES)):
            try:
                await self[collection].create_indexes(models)
            except OperationFailure as error:
                if error.code not in INDEX_CONFLICTS:
                    raise
                await self._drop_changed(collection, models)
                await self[collection].create_indexes(models)

    async def _drop_changed(self, collection: str, models: Sequence[IndexModel]) -> None:
        there = await self[collection].index_information()
        for document in (model.document for model in models):
            found = there.get(document["name"])
            if found is not None and found["key"] != list(document["key"].items()):
                log.info("index.made_anew", collection=collection, index=document["name"])
                with suppress(OperationFailure):  # another process was first
                    await self[collection].drop_index(document["name"])


@asynccontextmanager
async def connect(url: str, *, name: str, registry: CollectorRegistry | None = None) -> AsyncIterator[Mongo]:
    """A client that is closed on leaving; it connects by itself and again after every loss. `registry`: where its
    commands are counted.
    """
    mongo = Mongo(url, name=name, registry=registry)
    try:
        yield mongo
    finally:
        mongo.client.close()
