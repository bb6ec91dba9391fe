"""Webhooks that wait in MongoDB, and the secrets their addresses may end with."""

import contextlib
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime

from common.contracts.events import Webhook
from common.kernel.failures import Transient
from common.kernel.identity import new_id
from common.mongo.connection import UNAVAILABLE, Document, DuplicateKeyError, Mongo, within
from common.telemetry.logs import conceal

KEEP_SECONDS = 3.0
SECRET_BYTES = 24
SECRET = "webhook"  # noqa: S105 - where it is kept, not what it is
MOST_FORMER = 20


class MongoWebhookInbox:
    def __init__(self, mongo: Mongo) -> None:
        self._inbox = mongo["webhook_inbox"]

    async def add(self, provider: str, webhook: Webhook) -> None:
        document = {"_id": new_id("whk"), "provider": provider, **webhook.model_dump()}
        try:
            with within(KEEP_SECONDS):
                await self._inbox.insert_one(document)
        except UNAVAILABLE as error:
            raise Transient("MongoDB did not keep a webhook") from error

    async def oldest(self, limit: int) -> Mapping[str, tuple[str, Webhook]]:
        cursor = self._inbox.find().sort("_id", 1).limit(limit)
        return {found["_id"]: (found["provider"], Webhook.model_validate(found)) async for found in cursor}

    async def remove(self, identities: Sequence[str]) -> None:
        await self._inbox.delete_many({"_id": {"$in": list(identities)}})


class MongoWebhookSecrets:
    """Those that are configured, or one that is made once and shared by every replica, and those it replaced."""

    def __init__(self, mongo: Mongo, configured: Sequence[str]) -> None:
        self._secrets = mongo["secrets"]
        self.configured = configured
        self._kept: Document = {}

    def usable(self, now: datetime) -> Sequence[str]:
        if self.configured or not self._kept:
            return self.configured
        former = [one["value"] for one in self._kept.get("former", []) if one["until"] > now]
        return [self._kept["value"], *former]

    async def find(self) -> None:
        """Learn it, unless it is configured: another replica may have replaced it."""
        if self.configured:
            return
        if not self._kept:
            with contextlib.suppress(DuplicateKeyError):  # another replica was first
                await self._secrets.update_one({"_id": SECRET}, {"$setOnInsert": {"value": _new()}}, upsert=True)
        self._learn(await self._secrets.find_one({"_id": SECRET}))

    async def rotate(self, rotation: str, *, former_until: datetime, now: datetime) -> str:
        """Replace the secret that was made; the same `rotation` again changes nothing."""
        await self.find()
        used = {"$filter": {"input": {"$ifNull": ["$former", []]}, "as": "one", "cond": {"$gt": ["$$one.until", now]}}}
        former = {"$concatArrays": [[{"value": "$value", "until": former_until}], used]}
        await self._secrets.update_one(
            {"_id": SECRET, "rotation": {"$ne": rotation}},
            [{"$set": {"value": _new(), "former": {"$slice": [former, MOST_FORMER]}, "rotation": rotation}}],
        )
        self._learn(await self._secrets.find_one({"_id": SECRET}))
        return str(self._kept["value"])

    def _learn(self, found: Document | None) -> None:
        if found is not None:
            conceal([found["value"], *(one["value"] for one in found.get("former", []))])
            self._kept = found


def _new() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)
