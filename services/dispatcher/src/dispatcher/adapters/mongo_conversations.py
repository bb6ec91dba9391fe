"""What people were asked and what they said, in MongoDB."""

from datetime import datetime

from common.contracts.vocabulary import DeliveryStatus, NotificationType
from common.mongo.connection import DuplicateKeyError, Mongo
from dispatcher.application.receive_message import Wished
from dispatcher.domain.words import Wish

SENT = [DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ, DeliveryStatus.UNKNOWN]
LAST_DELIVERIES = 50
"""Of one person, newest first, in which a survey is looked for."""
TICKET = "ticket "


class MongoConversations:
    def __init__(self, mongo: Mongo) -> None:
        self._wishes = mongo["wishes"]
        self._deliveries = mongo["deliveries"]
        self._notifications = mongo["notifications"]

    async def wished(self, wanted: Wished) -> Wished:
        mine = {"$set": {"at": wanted.at, "wish": wanted.wish}}
        earlier = {"_id": wanted.person, "at": {"$lt": wanted.at}}
        try:
            await self._wishes.update_one(earlier, mine, upsert=True)
        except DuplicateKeyError:  # something later is there, or another process was first with something earlier
            await self._wishes.update_one(earlier, mine)
        found = await self._wishes.find_one({"_id": wanted.person})
        return wanted if found is None else Wished(wanted.person, Wish(found["wish"]), found["at"])

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
