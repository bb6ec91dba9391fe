"""What is known of our senders' devices, in their documents."""

from datetime import datetime, timedelta

from common.contracts.documents import DEVICE_ASKED_EVERY_SECONDS
from common.mongo.connection import Collection, Document
from gateway.adapters.mongo_quotas import NO_QUOTA, quota_known
from gateway.domain.device import Device

AT_MOST_EVERY = timedelta(seconds=DEVICE_ASKED_EVERY_SECONDS)


class MongoDevices:
    def __init__(self, collection: Collection) -> None:
        self._senders = collection

    async def begin(self, sender: str, at: datetime) -> bool:
        result = await self._senders.update_one(
            {"_id": sender, "device.asked_at": {"$not": {"$gt": at - AT_MOST_EVERY}}}, {"$set": {"device.asked_at": at}}
        )
        return result.matched_count == 1

    async def told(self, sender: str, device: Device, *, asked_at: datetime, answered_at: datetime) -> None:
        if device.connected is not None:
            await self.said(sender, connected=device.connected, at=asked_at)
        known: Document = {"device.error": None}
        if device.expires_on is not None:
            known["device.expires_on"] = device.expires_on.isoformat()
        if device.quota is not None:
            known |= quota_known(device.quota)
        elif device.unlimited:
            known |= NO_QUOTA
        # What says that it is over comes with the rest: whoever waits for it sees all of it.
        await self._senders.update_one({"_id": sender}, [{"$set": {**known, "device.answered_at": answered_at}}])

    async def silent(self, sender: str, error: str, *, answered_at: datetime) -> None:
        await self._senders.update_one(
            {"_id": sender}, {"$set": {"device.error": error, "device.answered_at": answered_at}}
        )

    async def said(self, sender: str, *, connected: bool, at: datetime) -> None:
        await self._senders.update_one(
            {"_id": sender, "device.connected_at": {"$not": {"$gt": at}}},
            [{"$set": {"device.connected": connected, "device.connected_at": {"$min": [at, "$$NOW"]}}}],
        )
