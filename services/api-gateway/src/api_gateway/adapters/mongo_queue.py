"""The queue in MongoDB, counted from indexes alone."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import cast

from api_gateway.application.ports import Waiting
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import BY_WHATSAPP, Channel, DeliveryStatus, NotificationStatus, Priority
from common.mongo.connection import Document, Mongo

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LANES: list[Document] = [
    {"$match": {"lane": {"$gt": ""}}},
    {
        "$group": {
            "_id": {"lane": "$lane", "rank": "$rank"},
            "count": {"$sum": 1},
            "oldest": {"$min": "$queued_at"},
        }
    },
]


class MongoQueue:
    def __init__(self, mongo: Mongo) -> None:
        self._deliveries = mongo["deliveries"]
        self._notifications = mongo["notifications"]

    async def waiting(self) -> list[Waiting]:
        rows = self._deliveries.aggregate(LANES, hint="lane_head")
        return [Waiting(row["_id"]["lane"], row["_id"]["rank"], row["count"], row["oldest"]) async for row in rows]

    async def counts(self, statuses: Sequence[DeliveryStatus]) -> dict[str, int]:
        counted = await asyncio.gather(*(self._count(status) for status in statuses))
        return {status.value: count for status, count in zip(statuses, counted, strict=True)}

    async def _count(self, status: DeliveryStatus) -> int:
        every, mails = await asyncio.gather(
            self._deliveries.count_documents({"status": status}, hint="by_status"),
            self._deliveries.count_documents({"status": status, "channel": Channel.EMAIL}, hint="mail_by_status"),
        )
        return max(0, every - mails)

    async def dead(self) -> int:
        dead: Document = {"dead_at": {"$gt": EPOCH}, "channel": {"$ne": Channel.EMAIL}}
        return await self._deliveries.count_documents(dead, hint="dead")

    async def heads(self, lanes: Sequence[str], limit: int) -> list[DeliveryDocument]:
        order = [("rank", 1), ("queued_at", 1), ("position", 1)]
        found = await asyncio.gather(
            *(
                self._deliveries.find({"lane": lane}, {"message": 0}).sort(order).limit(limit).to_list(None)
                for lane in lanes
            )
        )
        return cast("list[DeliveryDocument]", [one for heads in found for one in heads])

    async def unplanned(self) -> Mapping[tuple[str, int], int]:
        rows = self._notifications.aggregate(
            [
                {"$match": {"wake_at": {"$exists": True}, "status": NotificationStatus.ACCEPTED}},
                {
                    "$group": {
                        "_id": {"priority": "$priority", "channels": "$channels"},
                        "recipients": {"$sum": "$recipients"},
                        "pages": {"$sum": "$planned_pages"},
                    }
                },
            ],
            hint="deadline",
        )
        found: Counter[tuple[str, int]] = Counter()
        async for row in rows:
            channels, rank = row["_id"].get("channels", BY_WHATSAPP), Priority(row["_id"]["priority"]).rank
            for channel in channels:  # of several each has as many, or nearly
                # An audience that is looked for may turn out to be larger than it was thought to be.
                found[channel, rank] += max(-(-row["recipients"] // len(channels)) - row["pages"] * 1_000, 0)
        return found
