"""Watch over senders, jobs and piles of what failed: one scheduler at a time, every few seconds."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertKind
from common.kernel.clock import Clock
from scheduler.application.alert_ports import Alerts, Lease, Observations
from scheduler.application.check_devices import CheckDevices
from scheduler.application.observe_jobs import ObserveJobs
from scheduler.application.raise_alerts import RaiseAlerts
from scheduler.application.tell_people import TellPeople
from scheduler.domain import checks
from scheduler.domain.findings import Thresholds
from scheduler.metrics import Metrics


@dataclass
class Watch:
    """The lease only saves work: two that watch at once tell once, too."""

    lease: Lease
    observations: Observations
    observe_jobs: ObserveJobs
    raise_alerts: RaiseAlerts
    tell: TellPeople
    check: CheckDevices
    alerts: Alerts
    metrics: Metrics
    clock: Clock
    thresholds: Thresholds

    async def __call__(self) -> None:
        if not await self.lease.held():
            self._show(await self.alerts.active(), untold=len(await self.alerts.untold()))
            return
        now = self.clock.now()
        observed = replace(await self.observations.look(self.thresholds, now), jobs=await self.observe_jobs())
        active = await self.raise_alerts(observed)
        # Before anybody is told: RabbitMQ may be away.
        self._show(active, untold=len(await self.alerts.untold()))
        self._show(active, untold=await self.tell(observed.senders))
        away = {alert["about"] for alert in active if alert["kind"] in {AlertKind.DEVICE, AlertKind.QUOTA}}
        await self.check.ask(checks.due(observed.senders, {one for one in away if one}, now))

    def _show(self, active: Sequence[AlertDocument], *, untold: int) -> None:
        self.metrics.alerts([alert["cause"] for alert in active], untold=untold)
