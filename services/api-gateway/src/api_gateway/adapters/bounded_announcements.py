"""Announcements that may be left out: they only hurry what the dispatcher's sweeper finds by itself."""

import asyncio

from common.messaging.coalesced import Coalesced
from common.telemetry.logs import logger

MOST_WAITING = 10_000
log = logger()


class BoundedAnnouncements:
    """Hands over at most so many at a time, so that a RabbitMQ that is away costs a bounded amount of memory."""

    def __init__(self, announcements: Coalesced[str], *, most: int = MOST_WAITING) -> None:
        self._announcements = announcements
        self._most = most
        self.waiting = 0
        self.left_out = 0

    def put(self, notification_id: str) -> None:
        if self.waiting >= self._most:
            if not self.left_out:
                log.warning("announcements.left_out", waiting=self.waiting)
            self.left_out += 1
            return
        self.waiting += 1
        self._announcements.put(notification_id).add_done_callback(self._gone)

    def _gone(self, announced: asyncio.Future[None]) -> None:
        self.waiting -= 1
        if self.left_out and self.waiting < self._most // 2:
            log.info("announcements.resumed", left_out=self.left_out)
            self.left_out = 0
        if not announced.cancelled() and (error := announced.exception()) is not None:
            log.warning("announcement.not_sent", error=str(error))
