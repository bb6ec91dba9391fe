"""The connection to MongoDB."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pymongo
from bson.codec_options import CodecOptions
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection, AsyncIOMotorDatabase
from pymongo import ReturnDocument
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)
from pymongo.operations import InsertOne, UpdateMany, UpdateOne

from common.mongo.indexes import INDEXES
from common.telemetry.logs import clean, logger

Document = dict[str, Any]
Collection = AsyncIOMotorCollection[Document]

UNAVAILABLE: tuple[type[Exception], ...] = (
    AutoReconnect,
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WTimeoutError,
)
"""What is raised while MongoDB is away; the same operation succeeds once it is back."""
DUPLICATE_KEY = 11000
PING_SECONDS = 2.0
"""A server that does not answer so long is said to be away."""
within = pymongo.timeout
"""`with within(seconds):` bounds every operation inside, retries included."""
log = logger()

__all__ = ["UNAVAILABLE", "BulkWriteError", "Collection", "Document", "DuplicateKeyError", "InsertOne", "Mongo",
           "ReturnDocument", "UpdateMany", "UpdateOne", "connect", "within"]  # fmt: skip


class Mongo:
    """One client; every write is acknowledged by the majority."""

    def __init__(self, url: str, *, name: str) -> None:
        self.client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
            url,
            appname=name,
            w="majority",
            retryWrites=True,
            serverSelectionTimeoutMS=3_000,
            connectTimeoutMS=2_000,
            timeoutMS=10_000,
            maxPoolSize=40,
        )
        self.database: AsyncIOMotorDatabase[Document] = self.client.get_default_database("kabar").with_options(
            codec_options=CodecOptions(tz_aware=True)
        )
        self.ready = False

    def __getitem__(self, collection: str) -> Collection:
        return self.database[collection]

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
        for collection, models in INDEXES.items():
            await self[collection].create_indexes(models)


@asynccontextmanager
async def connect(url: str, *, name: str) -> AsyncIterator[Mongo]:
    """A client that is closed on leaving; it connects by itself and again after every loss."""
    mongo = Mongo(url, name=name)
    try:
        yield mongo
    finally:
        mongo.client.close()
