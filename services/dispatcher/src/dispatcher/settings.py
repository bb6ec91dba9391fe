"""Settings of the dispatcher."""

from datetime import timedelta

from pydantic import Field

from common.config.senders import SenderSettings
from common.mongo.gate import Limits
from dispatcher.domain.retries import RetryPlan


class Settings(SenderSettings):
    enabled: bool = Field(default=True, validation_alias="WHATSAPP_ENABLED")
    max_retries: int = Field(3, ge=0, le=20, validation_alias="WHATSAPP_MAX_RETRIES")
    backoff_multiplier: float = Field(2.0, ge=1, le=10, validation_alias="WHATSAPP_BACKOFF_MULTIPLIER")
    failed_retry_seconds: float = Field(300.0, ge=0, validation_alias="KABAR_FAILED_RETRY_SECONDS")
    ageing_seconds: float = Field(1800.0, ge=0, validation_alias="KABAR_AGEING_SECONDS")
    recipient_per_minute: int = Field(0, ge=0, validation_alias="KABAR_RECIPIENT_LIMIT_PER_MINUTE")
    recipient_per_hour: int = Field(0, ge=0, validation_alias="KABAR_RECIPIENT_LIMIT_PER_HOUR")
    recipient_per_day: int = Field(0, ge=0, validation_alias="KABAR_RECIPIENT_LIMIT_PER_DAY")

    def recipient_limits(self) -> Limits:
        return Limits(0.0, self.recipient_per_minute, self.recipient_per_hour, self.recipient_per_day)

    def retry_plan(self) -> RetryPlan:
        return RetryPlan(most=self.max_retries, multiplier=self.backoff_multiplier, last=self.failed_retry_seconds)

    def ageing(self) -> timedelta:
        return timedelta(seconds=self.ageing_seconds)
