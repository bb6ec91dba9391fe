"""Accept a notification: everything that can be wrong is found now, and once stored it is never lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from prometheus_client import CollectorRegistry, Counter

from api_gateway.application.capacity import Capacity
from api_gateway.application.compose_audience import compose_audience
from api_gateway.application.ports import Announcements, Notifications
from api_gateway.domain.access import Caller
from api_gateway.domain.audience import Audience, Rejection
from api_gateway.domain.moments import send_time
from api_gateway.domain.refusals import Code, Refused, invalid
from api_gateway.domain.submission import Submission
from common.catalogue.definitions import DEFINITIONS
from common.contracts.documents import INLINE_AUDIENCE, AudienceMember, NotificationDocument
from common.contracts.vocabulary import Channel, NotificationStatus, Priority
from common.kernel.clock import Clock
from common.kernel.text import normalise_message
from common.telemetry.logs import logger

SWEEP_AFTER = timedelta(seconds=2)
"""When a sweeper looks after a notification nobody planned."""
log = logger()


class AcceptanceMetrics:
    """What was accepted and what was not."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.notifications = Counter(
            "notification_accepted_total", "Notifications accepted.", ["type"], registry=registry
        )
        self.recipients = Counter("recipient_accepted_total", "Recipients accepted.", registry=registry)
        self.rejected = Counter("recipient_rejected_total", "Recipients rejected.", ["code"], registry=registry)


@dataclass(frozen=True)
class Policy:
    """Settings that decide what a request leaves open."""

    providers: tuple[str, ...]
    unknown_wait_seconds: float
    zone: tzinfo


@dataclass(frozen=True)
class Turn:
    """Under which identity to accept; `retaken`: somebody before may have come to accepting it."""

    notification_id: str
    retaken: bool = False


@dataclass(frozen=True)
class Accepted:
    notification: NotificationDocument
    rejected: Sequence[Rejection]
    bulk: bool


@dataclass(frozen=True)
class AcceptNotification:
    notifications: Notifications
    announcements: Announcements
    capacity: Capacity
    clock: Clock
    policy: Policy
    metrics: AcceptanceMetrics

    async def __call__(self, submission: Submission, caller: Caller, turn: Turn) -> Accepted:
        """Raises `Refused` when it is not accepted, and `Unavailable` when it cannot be told whether it is."""
        before = await self.notifications.get(turn.notification_id) if turn.retaken else None
        now = self.clock.now() if before is None else before["created_at"]
        validity = submission.validity_seconds or DEFINITIONS[submission.type].route.validity_seconds
        send_at = send_time(submission.send_at, now=now, zone=self.policy.zone)
        if submission.direct and send_at is not None:
            raise invalid("send_at", "a direct send is sent now; leave it out")
        audience = await compose_audience(submission, validity)
        if before is not None:
            return Accepted(before, audience.rejected, submission.bulk)
        notification = self._notification(submission, caller, turn.notification_id, audience, now=now, send_at=send_at)
        if not submission.force and len(audience.members) > 1:
            _refuse_beyond_validity(notification)
        if submission.direct:
            await self.capacity.demand_sender(notification["providers"])
        await self._store(notification, audience)
        self.capacity.note(Priority(notification["priority"]), len(audience.members))
        self._count(notification, audience)
        return Accepted(notification, audience.rejected, submission.bulk)

    async def _store(self, notification: NotificationDocument, audience: Audience) -> None:
        members = audience.members
        pages: list[list[AudienceMember]] = []
        if len(members) <= INLINE_AUDIENCE:
            notification["audience"] = members
        else:
            pages = [members[at : at + INLINE_AUDIENCE] for at in range(0, len(members), INLINE_AUDIENCE)]
            notification["pages"] = len(pages)
        await self.notifications.accept(notification, pages)
        self.announcements.put(notification["_id"])

    def _count(self, notification: NotificationDocument, audience: Audience) -> None:
        self.metrics.notifications.labels(notification["type"]).inc()
        self.metrics.recipients.inc(len(audience.members))
        for rejection in audience.rejected:
            self.metrics.rejected.labels(rejection.code).inc()
        log.info(
            "notification.accepted",
            notification_id=notification["_id"],
            type=notification["type"],
            recipients=len(audience.members),
            rejected=len(audience.rejected),
        )

    def _notification(
        self,
        submission: Submission,
        caller: Caller,
        identity: str,
        audience: Audience,
        *,
        now: datetime,
        send_at: datetime | None,
    ) -> NotificationDocument:
        habits = DEFINITIONS[submission.type].route
        priority = submission.priority or habits.priority
        validity = submission.validity_seconds or habits.validity_seconds
        providers = submission.providers or self.policy.providers
        unknown_wait = habits.unknown_wait_seconds
        recipients = len(audience.members)
        estimated = self.capacity.finish(providers, priority, recipients, send_at=send_at)
        return {
            "_id": identity,
            "type": submission.type,
            "channel": Channel.WHATSAPP,
            "priority": priority,
            "message": None if submission.message is None else normalise_message(submission.message),
            "data": None if submission.data is None else dict(submission.data),
            "audience": [],
            "pages": 0,
            "planned_pages": 0,
            "recipients": recipients,
            "rejected": len(audience.rejected),
            "providers": list(providers),
            "direct": submission.direct,
            "on_unknown": submission.on_unknown or habits.on_unknown,
            "unknown_wait_seconds": self.policy.unknown_wait_seconds if unknown_wait is None else unknown_wait,
            "send_at": send_at,
            "expires_at": (send_at or now) + timedelta(seconds=validity),
            "validity_seconds": validity,
            "status": NotificationStatus.ACCEPTED,
            "wake_at": now + SWEEP_AFTER,
            "estimated_finish": estimated,
            "created_by": caller.subject,
            "created_at": now,
        }


def _refuse_beyond_validity(notification: NotificationDocument) -> None:
    estimated, expires_at = notification["estimated_finish"], notification["expires_at"]
    if estimated is None or estimated <= expires_at:
        return
    raise Refused(
        Code.BEYOND_VALIDITY,
        f"the last of {notification['recipients']:,} recipients would be reached at {estimated:%Y-%m-%d %H:%M} UTC, "
        f"after the validity ends at {expires_at:%Y-%m-%d %H:%M} UTC; send to fewer, raise validity_seconds, add "
        'senders, or accept it with "force": true',
        details={"estimated_finish": estimated, "expires_at": expires_at},
    )
