"""Accept a notification: everything that can be wrong is found now, and once stored it is never lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from prometheus_client import CollectorRegistry, Counter

from api_gateway.application.capacity import Capacity
from api_gateway.application.catalogue_ports import Routes
from api_gateway.application.compose_notification import Composed, ComposeNotification
from api_gateway.application.ports import Announcements, Notifications
from api_gateway.domain.access import Caller
from api_gateway.domain.audience import Rejection
from api_gateway.domain.moments import send_time
from api_gateway.domain.refusals import Code, Conflicting, Refused, Unavailable, Unreachable, invalid
from api_gateway.domain.submission import Submission
from common.catalogue.definitions import Route
from common.contracts.documents import INLINE_AUDIENCE, AudienceMember, NotificationDocument
from common.contracts.vocabulary import Channel, NotificationStatus, NotificationType, Priority, providers_of
from common.kernel.clock import Clock
from common.kernel.text import normalise_message
from common.telemetry import tracing
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
        self.unreachable = Counter(
            "alert_unreachable_total", "Alerts refused because nobody would get them.", ["type"], registry=registry
        )
        for kind in NotificationType:  # what is not there cannot rise
            self.notifications.labels(kind)


@dataclass(frozen=True)
class Policy:
    """Settings that decide what a request leaves open."""

    providers: tuple[str, ...]
    unknown_wait_seconds: float
    zone: tzinfo


@dataclass(frozen=True)
class Turn:
    """Under which identity to accept what was first asked for at `since`; `retaken`: somebody before may have come to
    accepting it.
    """

    notification_id: str
    since: datetime
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
    routes: Routes
    compose: ComposeNotification

    async def __call__(self, submission: Submission, caller: Caller, turn: Turn) -> Accepted:
        """Raises `Refused` when it is not accepted, and `Unavailable` when it cannot be told whether it is."""
        before = await self.notifications.get(turn.notification_id) if turn.retaken else None
        if before is not None:
            return await self._again(submission, before)
        now = self.clock.now()
        send_at = send_time(submission.send_at, now=now, zone=self.policy.zone)
        if submission.direct and send_at is not None:
            raise invalid("send_at", "a direct send is sent now; leave it out")
        await self.compose.check(submission)
        route = await self.routes.effective(submission.type)
        if not route.enabled:
            raise Conflicting(Code.TYPE_DISABLED, f"{submission.type} is switched off; an admin can enable its route")
        composed = await self._composed(submission, route)
        notification = self._notification(
            submission, caller, turn.notification_id, composed, route, now=now, send_at=send_at
        )
        if not submission.force and composed.people > 1:
            _refuse_beyond_validity(notification)
        if submission.direct:
            (channel,) = composed.deliveries
            await self.capacity.demand_sender(providers_of(channel, notification["providers"]))
        await self._store(notification, composed)
        self.capacity.note(Priority(notification["priority"]), composed.deliveries)
        self._count(notification, composed)
        return Accepted(notification, composed.audience.rejected, submission.bulk or composed.many)

    async def _composed(self, submission: Submission, route: Route) -> Composed:
        validity = submission.validity_seconds or route.validity_seconds
        try:
            return await self.compose(submission, route, validity, self._providers(submission, route))
        except Unreachable as refused:
            self.metrics.unreachable.labels(submission.type).inc()
            log.error("alert.unreachable", type=submission.type, reason=refused.error)  # noqa: TRY400 - nothing broke
            raise

    async def _again(self, submission: Submission, before: NotificationDocument) -> Accepted:
        """It is stored already: only what was rejected of it has to be said again."""
        try:
            composed = await self._composed(submission, await self.routes.effective(submission.type))
        except Unavailable:
            raise
        except Refused:  # what it was composed from has changed since
            return Accepted(before, (), submission.bulk)
        return Accepted(before, composed.audience.rejected, submission.bulk or composed.many)

    def _providers(self, submission: Submission, route: Route) -> tuple[str, ...]:
        return submission.providers or route.providers or self.policy.providers

    async def _store(self, notification: NotificationDocument, composed: Composed) -> None:
        members = composed.audience.members
        pages: list[list[AudienceMember]] = []
        if len(members) <= INLINE_AUDIENCE and composed.query is None:
            notification["audience"] = members
        else:
            pages = [members[at : at + INLINE_AUDIENCE] for at in range(0, len(members), INLINE_AUDIENCE)]
            notification["pages"] = len(pages)
        await self.notifications.accept(notification, pages)
        self.announcements.put(notification["_id"])

    def _count(self, notification: NotificationDocument, composed: Composed) -> None:
        self.metrics.notifications.labels(notification["type"]).inc()
        self.metrics.recipients.inc(composed.recipients)
        for rejection in composed.audience.rejected:
            self.metrics.rejected.labels(rejection.code).inc()
        tracing.note(notification_id=notification["_id"], type=notification["type"], recipients=composed.recipients)
        log.info(
            "notification.accepted",
            notification_id=notification["_id"],
            type=notification["type"],
            recipients=composed.recipients,
            rejected=len(composed.audience.rejected),
        )

    def _notification(
        self,
        submission: Submission,
        caller: Caller,
        identity: str,
        composed: Composed,
        route: Route,
        *,
        now: datetime,
        send_at: datetime | None,
    ) -> NotificationDocument:
        priority = submission.priority or route.priority
        validity = submission.validity_seconds or route.validity_seconds
        providers = self._providers(submission, route)
        unknown_wait = route.unknown_wait_seconds
        notification: NotificationDocument = {
            "_id": identity,
            "type": submission.type,
            "channels": [channel for channel in Channel if channel in composed.deliveries],
            "priority": priority,
            "message": None if submission.message is None else normalise_message(submission.message),
            "data": None if composed.data is None else dict(composed.data),
            "audience": [],
            "pages": 0,
            "planned_pages": 0,
            "recipients": composed.recipients,
            "rejected": len(composed.audience.rejected),
            "providers": list(providers),
            "direct": submission.direct,
            "on_unknown": submission.on_unknown or route.on_unknown,
            "unknown_wait_seconds": self.policy.unknown_wait_seconds if unknown_wait is None else unknown_wait,
            "send_at": send_at,
            "expires_at": (send_at or now) + timedelta(seconds=validity),
            "validity_seconds": validity,
            "status": NotificationStatus.ACCEPTED,
            "wake_at": now + SWEEP_AFTER,
            "estimated_finish": self.capacity.finish(providers, priority, composed.deliveries, send_at=send_at),
            "suppressible": route.suppressible,
            "created_by": caller.subject,
            "created_at": now,
        }
        _fix(notification, composed, route)
        return notification


def _fix(notification: NotificationDocument, composed: Composed, route: Route) -> None:
    """Write down what is only there for some: people, template, question, subject, dedupe, hours, trace."""
    if (traceparent := tracing.current_traceparent()) is not None:
        notification["traceparent"] = traceparent
    if len(composed.deliveries) > 1:
        notification["people"] = composed.people
    if composed.template is not None:
        notification["template"] = composed.template["_id"]
    if composed.query is not None:
        notification["audience_query"] = composed.query
    about, stage = composed.subject
    if about:
        notification["subject"] = about
        if stage is not None:
            notification["stage"] = stage
        if route.dedupe_seconds:  # of what has no one subject nobody can say that it was told before
            notification["dedupe_seconds"] = route.dedupe_seconds
    if route.hours is not None and not notification["direct"]:
        notification["hours"] = route.hours


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
