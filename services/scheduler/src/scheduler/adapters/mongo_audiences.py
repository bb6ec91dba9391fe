"""Whom what is told to staff and groups goes to."""

from collections.abc import Sequence

from common.catalogue.definitions import DEFINITIONS
from common.contracts.vocabulary import NotificationType
from common.mongo.connection import Document, Mongo
from common.mongo.directory import Directory


class MongoAudiences:
    def __init__(self, mongo: Mongo, directory: Directory) -> None:
        self._groups = mongo["groups"]
        self._directory = directory

    async def staff(self, type_: NotificationType) -> Sequence[Document]:
        return await self._directory.staff(DEFINITIONS[type_].roles)

    async def any_group(self, type_: NotificationType) -> bool:
        purposes = [purpose.value for purpose in DEFINITIONS[type_].groups]
        return await self._groups.find_one({"purpose": {"$in": purposes}, "active": True}, {"_id": 1}) is not None
