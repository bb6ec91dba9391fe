"""Compare what is observed with the alerts there are: raise, clear, leave alone."""

from dataclasses import dataclass

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertStatus
from common.kernel.clock import Clock
from common.kernel.identity import new_id
from common.kernel.phone import mask_in_text
from common.telemetry.logs import logger
from scheduler.application.alert_ports import Alerts
from scheduler.domain import alerts
from scheduler.domain.findings import Finding, Observed, Thresholds, findings

log = logger()


@dataclass(frozen=True)
class RaiseAlerts:
    """Whoever else compares at the same moment raises nothing twice: of a cause one alert is active."""

    alerts: Alerts
    clock: Clock
    thresholds: Thresholds

    async def __call__(self, observed: Observed) -> list[AlertDocument]:
        """The alerts that are active now."""
        now = self.clock.now()
        active = {alert["cause"]: alert for alert in await self.alerts.active()}
        found = {finding.cause: finding for finding in findings(observed, self.thresholds, now)}
        for cause, alert in list(active.items()):
            after = alerts.after(alert, found.get(cause), now)
            if after is not alert and await self.alerts.save(after) and after["status"] == AlertStatus.CLEARED:
                log.info("alert.cleared", cause=cause, alert_id=alert["_id"])
                del active[cause]
        for finding in found.values():
            if finding.wrong and finding.cause not in active and (raised := await self._raise(finding)):
                active[finding.cause] = raised
        return list(active.values())

    async def _raise(self, finding: Finding) -> AlertDocument | None:
        cleared_at = await self.alerts.last_cleared(finding.cause)
        alert = alerts.raised(new_id("alr"), finding, self.clock.now(), cleared_at=cleared_at)
        if not await self.alerts.add(alert):
            return None
        log.warning("alert.raised", cause=finding.cause, alert_id=alert["_id"], summary=mask_in_text(finding.summary))
        return alert
