"""Keyed digests of numbers and addresses: whoever has one recognises it, from the digests nobody can be found.

A plain hash would not do, as all Indonesian numbers can be tried in a minute. The key is made once and kept in
`secrets`.
"""

import contextlib
import hmac
import secrets

from common.mongo.connection import DuplicateKeyError, Mongo

KEY = "suppressions"
"""Where the key is kept, named after those that needed it first."""


class Digests:
    def __init__(self, mongo: Mongo) -> None:
        self._secrets = mongo["secrets"]
        self._key: bytes | None = None

    async def of(self, recipient: str) -> str:
        if self._key is None:
            with contextlib.suppress(DuplicateKeyError):  # another process was first
                made = {"$setOnInsert": {"value": secrets.token_bytes(32)}}
                await self._secrets.update_one({"_id": KEY}, made, upsert=True)
            found = await self._secrets.find_one({"_id": KEY})
            if found is None:
                raise LookupError("the key of the digests is gone")
            self._key = bytes(found["value"])
        return hmac.digest(self._key, recipient.encode(), "sha256").hex()
