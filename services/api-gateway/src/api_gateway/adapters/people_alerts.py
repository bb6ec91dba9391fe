"""Tell people of what the service did by itself."""

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import SERVICE, Caller
from api_gateway.domain.webhook_endpoint import Endpoint
from common.contracts.facts import NotificationRequested
from common.contracts.vocabulary import NotificationType
from common.kernel.clock import Clock
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS


class AlertPeople:
    """An entry in the audit log, and a notification of type `system_alert` under an identity of its own."""

    def __init__(self, audit: AuditLog, broker: Broker, clock: Clock) -> None:
        self._audit = audit
        self._broker = broker
        self._clock = clock

    async def __call__(self, endpoint: Endpoint, reason: str) -> None:
        itself = Caller("kabar", SERVICE)
        await self._audit.note(itself, "webhook-endpoint.disable", endpoint.id, after={"reason": reason})
        now = self._clock.now()
        detail = f"Webhook {endpoint.id} ({endpoint.description or 'tanpa nama'}) dimatikan: tidak dapat dikirimi lagi."
        await self._broker.publish(
            EVENTS,
            NotificationRequested(
                event_id=f"{endpoint.id}.disabled.{int(now.timestamp())}",
                occurred_at=now,
                type=NotificationType.SYSTEM_ALERT,
                data={"cause": f"webhook {endpoint.id}", "detail": detail},
            ),
        )
