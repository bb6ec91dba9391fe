"""Whether there is anybody to tell what is told to staff and groups."""

from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import NotificationType
from common.mongo.connection import Mongo
from common.mongo.directory import Directory


class MongoAudiences:
    def __init__(self, mongo: Mongo, directory: Directory) -> None:
        self._groups = mongo["groups"]
        self._directory = directory

    async def anybody(self, type_: NotificationType) -> bool:
        definition = DEFINITIONS[type_]
        if any(person.get("phone") for person in await self._directory.staff(definition.roles)):
            return True
        purposes = [purpose.value for purpose in definition.groups]
        return await self._groups.find_one({"purpose": {"$in": purposes}, "active": True}, {"_id": 1}) is not None
