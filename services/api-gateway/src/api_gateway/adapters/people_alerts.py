"""Tell people of what the service did by itself."""

from api_gateway.application.ports import AuditLog
from api_gateway.domain.access import SERVICE, Caller
from api_gateway.domain.webhook_endpoint import Alert, Endpoint
from common.contracts.facts import NotificationRequested
from common.contracts.vocabulary import NotificationType
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS


class AlertPeople:
    """An entry in the audit log, and a notification of type `system_alert` under an identity of its own."""

    def __init__(self, audit: AuditLog, broker: Broker) -> None:
        self._audit = audit
        self._broker = broker

    async def __call__(self, endpoint: Endpoint, alert: Alert) -> None:
        detail = f"Webhook {endpoint.id} ({endpoint.description or 'tanpa nama'}) dimatikan: tidak dapat dikirimi lagi."
        await self._broker.publish(
            EVENTS,
            NotificationRequested(
                event_id=f"{endpoint.id}.disabled.{int(alert.at.timestamp() * 1000)}",
                occurred_at=alert.at,
                type=NotificationType.SYSTEM_ALERT,
                data={"cause": f"webhook {endpoint.id}", "detail": detail},
            ),
        )
        itself = Caller("kabar", SERVICE)
        await self._audit.note(itself, "webhook-endpoint.disable", endpoint.id, after={"reason": alert.reason})
