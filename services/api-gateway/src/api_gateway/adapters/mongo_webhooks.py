"""Webhooks that wait in MongoDB, and the secret their address ends with."""

import contextlib
import secrets
from collections.abc import Mapping, Sequence

from common.contracts.events import Webhook
from common.kernel.failures import Transient
from common.kernel.identity import new_id
from common.mongo.connection import UNAVAILABLE, DuplicateKeyError, Mongo, within
from common.telemetry.logs import conceal

KEEP_SECONDS = 3.0
SECRET_BYTES = 24
SECRET = "webhook"  # noqa: S105 - where it is kept, not what it is


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


class MongoWebhookSecret:
    """The configured secret, or one that is made once and shared by every replica."""

    def __init__(self, mongo: Mongo, configured: str | None) -> None:
        self._secrets = mongo["secrets"]
        self.value = configured

    async def find(self) -> None:
        """Learn the secret, unless it is known."""
        if self.value is not None:
            return
        with contextlib.suppress(DuplicateKeyError):  # another replica was first
            await self._secrets.update_one(
                {"_id": SECRET}, {"$setOnInsert": {"value": secrets.token_urlsafe(SECRET_BYTES)}}, upsert=True
            )
        found = await self._secrets.find_one({"_id": SECRET})
        if found is not None:
            conceal([found["value"]])
            self.value = found["value"]
