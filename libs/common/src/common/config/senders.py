"""The settings of every channel's senders that several services read alike."""

from pydantic import Field

from common.config.whatsapp import LimitSettings


class SenderSettings(LimitSettings):
    """WhatsApp's, whether there is e-mail at all, and the pacing and limits of its sender; 0 is off."""

    mail_host: str | None = Field(None, validation_alias="MAIL_HOST")
    mail_queue_delay: float = Field(0.5, ge=0, le=3600, validation_alias="KABAR_MAIL_QUEUE_DELAY")
    mail_per_minute: int = Field(60, ge=0, validation_alias="KABAR_MAIL_RATE_LIMIT_PER_MINUTE")
    mail_per_hour: int = Field(500, ge=0, validation_alias="KABAR_MAIL_RATE_LIMIT_PER_HOUR")
    mail_per_day: int = Field(5000, ge=0, validation_alias="KABAR_MAIL_RATE_LIMIT_PER_DAY")
