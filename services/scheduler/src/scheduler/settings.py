"""What the environment decides."""

from typing import Annotated

from pydantic import AfterValidator, Field

from common.config.bonus import BonusSettings
from scheduler.domain.schedule import Schedule, check

OFF = "off"


def _expression(value: str) -> str:
    if value.strip().lower() == OFF:
        return OFF
    check(value)
    return " ".join(value.split())


Cron = Annotated[str, AfterValidator(_expression)]
"""A cron expression, or `off`."""


class SchedulerSettings(BonusSettings):
    """When each job is due, in the operators' time zone."""

    sla_monitor: Cron = Field("*/15 * * * *", validation_alias="KABAR_SCHEDULE_SLA_MONITOR")
    dunning: Cron = Field("0 8 * * *", validation_alias="KABAR_SCHEDULE_DUNNING")
    daily_summary: Cron = Field("0 18 * * *", validation_alias="KABAR_SCHEDULE_DAILY_SUMMARY")
    weekly_performance: Cron = Field("0 8 * * 1", validation_alias="KABAR_SCHEDULE_WEEKLY_PERFORMANCE")
    provider_check: Cron = Field("*/15 * * * *", validation_alias="KABAR_SCHEDULE_PROVIDER_CHECK")
    retention: Cron = Field("30 2 * * *", validation_alias="KABAR_SCHEDULE_RETENTION")

    retention_days: int = Field(90, ge=0, le=36_500, validation_alias="KABAR_RETENTION_DAYS")

    def schedule(self, expression: str) -> Schedule | None:
        """`None` where it is off."""
        return None if expression == OFF else Schedule(expression, self.zone)
