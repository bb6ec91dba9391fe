"""What each provider calls a WhatsApp group, in MongoDB."""

from collections.abc import Mapping, Sequence

from common.mongo.connection import Mongo


class MongoGroupIds:
    def __init__(self, mongo: Mongo) -> None:
        self._groups = mongo["groups"]

    async def at(self, provider: str, groups: Sequence[str]) -> Mapping[str, str]:
        found = self._groups.find({"known_as": {"$in": list(groups)}}, {"known_as": 1, "group_ids": 1})
        return {
            name: document["group_ids"][provider]
            async for document in found
            if provider in document["group_ids"]
            for name in document["known_as"]
        }
