"""What names people is not kept for ever: the server itself removes it once its time is over."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from api_gateway.adapters.mongo_audit_log import MongoAuditLog
from api_gateway.adapters.mongo_notifications import MongoNotifications
from api_gateway.application.audit_changes import AuditChanges
from api_gateway.domain.access import Caller
from common.contracts.vocabulary import Role
from common.mongo.connection import connect
from common.testing.clock import HandClock
from local_stack.servers import PrivateMongo
from tests.support.api import until
from tests.support.stored_deliveries import stored_notification

AUDITED, PAGED = timedelta(days=2 * 365), timedelta(days=30)
MARGIN = timedelta(hours=1)


async def test_audit_entries_and_pages_of_audiences_are_gone_after_their_time_and_not_before(
    private_mongodb: Callable[..., PrivateMongo],
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    # Told later, it would first sleep through the minute it has begun.
    async with connect(private_mongodb(ttlMonitorSleepSecs="1").url, name="test") as mongo:
        await mongo.create_indexes()
        notifications = MongoNotifications(mongo)
        writing = asyncio.create_task(notifications.inserts.run())
        for name, side in (("over", -MARGIN), ("kept", MARGIN)):
            audit = AuditChanges(MongoAuditLog(mongo), HandClock(now - AUDITED + side))
            await audit.note(Caller("sari", Role.ADMIN), "sender.pause", name)
            accepted: Any = stored_notification(_id=f"ntf_{name}", created_at=now - PAGED + side, audience=[], pages=1)
            await notifications.accept(accepted, [[{"to": "6281200000001"}]])
        writing.cancel()

        async def removed() -> bool:
            pages = await mongo["audience_pages"].find().to_list(None)
            entries = await mongo["audit_log"].find().to_list(None)
            told = [one["targets"] for one in entries], [cast("str", one["notification_id"]) for one in pages]
            return told == ([["kept"]], ["ntf_kept"])

        await until(removed, "what is over is still there, or what is not is gone", seconds=70)
