"""What people were asked and what they said, in MongoDB."""

from datetime import datetime

from common.contracts.vocabulary import DeliveryStatus, NotificationType
from common.mongo.connection import DuplicateKeyError, Mongo
from dispatcher.application.receive_message import Wished
from dispatcher.domain.words import Wish

SENT = [DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ, DeliveryStatus.UNKNOWN]
LAST_DELIVERIES = 50
"""Of one person, newest first, in which a survey is looked for."""
LAST_WISHES = 20
"""Messages of one person that are known when they are told again."""
TICKET = "ticket "


class MongoConversations:
    def __init__(self, mongo: Mongo) -> None:
        self._wishes = mongo["wishes"]
        self._deliveries = mongo["deliveries"]
        self._notifications = mongo["notifications"]

    async def wished(self, wanted: Wished) -> Wished | None:
        message = {"$each": [wanted.message], "$slice": -LAST_WISHES}
        mine = {
            "$set": {"at": wanted.at, "wish": wanted.wish, "message": wanted.message},
            "$push": {"known": message, "unheeded": message},
        }
        # One that is known stays where it is: dated in the future it would be the latest each time it is told.
        earlier = {"_id": wanted.person, "at": {"$lte": wanted.at}, "known": {"$ne": wanted.message}}
        try:
            await self._wishes.update_one(earlier, mine, upsert=True)
        except DuplicateKeyError:  # something later is there, or another process was first with something earlier
            await self._wishes.update_one(earlier, mine)
        found = await self._wishes.find_one({"_id": wanted.person, "unheeded": wanted.message})
        return None if found is None else Wished(wanted.person, Wish(found["wish"]), found["at"], found["message"])

    async def heeded(self, wanted: Wished, *, fulfilled: Wished) -> bool:
        result = await self._wishes.update_one(
            {"_id": wanted.person, "message": fulfilled.message}, {"$pull": {"unheeded": wanted.message}}
        )
        return result.matched_count == 1

    async def surveyed(self, person: str, since: datetime, until: datetime) -> str | None:
        wanted = {"type": 1, "status": 1, "sent_at": 1, "notification_id": 1}
        cursor = self._deliveries.find({"recipient": person}, wanted).sort("_id", -1).limit(LAST_DELIVERIES)
        async for delivery in cursor:
            if delivery["type"] != NotificationType.SATISFACTION_SURVEY or delivery["status"] not in SENT:
                continue
            if delivery["sent_at"] is None or not since <= delivery["sent_at"] <= until:
                continue
            asked = await self._notifications.find_one({"_id": delivery["notification_id"]}, {"subject": 1})
            subject = (asked or {}).get("subject", "")
            if subject.startswith(TICKET):
                return str(subject.removeprefix(TICKET))
        return None
