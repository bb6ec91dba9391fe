"""What the environment decides."""

from typing import Annotated

from pydantic import AfterValidator, Field, field_validator

from common.config.bonus import BonusSettings
from common.kernel.phone import normalise_recipient
from scheduler.domain.findings import Thresholds
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
    """When each job is due, in the operators' time zone, and from when on people are alerted; 0 is off."""

    sla_monitor: Cron = Field("*/15 * * * *", validation_alias="KABAR_SCHEDULE_SLA_MONITOR")
    dunning: Cron = Field("0 8 * * *", validation_alias="KABAR_SCHEDULE_DUNNING")
    daily_summary: Cron = Field("0 18 * * *", validation_alias="KABAR_SCHEDULE_DAILY_SUMMARY")
    weekly_performance: Cron = Field("0 8 * * 1", validation_alias="KABAR_SCHEDULE_WEEKLY_PERFORMANCE")
    provider_check: Cron = Field("*/15 * * * *", validation_alias="KABAR_SCHEDULE_PROVIDER_CHECK")
    retention: Cron = Field("30 2 * * *", validation_alias="KABAR_SCHEDULE_RETENTION")

    retention_days: int = Field(90, ge=0, le=36_500, validation_alias="KABAR_RETENTION_DAYS")
    quota_percent: float = Field(10.0, ge=0, le=100, validation_alias="KABAR_ALERT_QUOTA_PERCENT")
    quota_messages: int = Field(100, ge=0, validation_alias="KABAR_ALERT_QUOTA_MESSAGES")
    dead_an_hour: int = Field(20, ge=0, validation_alias="KABAR_ALERT_DEAD_PER_HOUR")
    parked_an_hour: int = Field(5, ge=0, validation_alias="KABAR_ALERT_PARKED_PER_HOUR")
    mail_host: str | None = Field(None, validation_alias="MAIL_HOST")
    admin_number: str | None = Field(None, validation_alias="ADMIN_WHATSAPP_NUMBER")

    @field_validator("admin_number")
    @classmethod
    def _number(cls, value: str | None) -> str | None:
        return None if value is None else normalise_recipient(value)

    @property
    def thresholds(self) -> Thresholds:
        return Thresholds(self.quota_percent / 100, self.quota_messages, self.dead_an_hour, self.parked_an_hour)

    def schedule(self, expression: str) -> Schedule | None:
        """`None` where it is off."""
        return None if expression == OFF else Schedule(expression, self.zone)
