"""The WhatsApp settings several services read alike; their names are older than this."""

from pydantic import Field, field_validator

from common.config.settings import ServiceSettings

PROVIDERS = ("fonnte", "wablas")
"""WhatsApp providers that have a gateway service."""


class LimitSettings(ServiceSettings):
    """Pacing and limits of a sender; 0 is off."""

    queue_delay: float = Field(10.0, ge=0, le=3600, validation_alias="WHATSAPP_QUEUE_DELAY")
    per_minute: int = Field(10, ge=0, validation_alias="WHATSAPP_RATE_LIMIT_PER_MINUTE")
    per_hour: int = Field(100, ge=0, validation_alias="WHATSAPP_RATE_LIMIT_PER_HOUR")
    per_day: int = Field(500, ge=0, validation_alias="WHATSAPP_RATE_LIMIT_PER_DAY")
    provider: str = Field("fonnte", validation_alias="WHATSAPP_PROVIDER")
    backup_provider: str = Field("wablas", validation_alias="WHATSAPP_BACKUP_PROVIDER")
    enable_failover: bool = Field(default=True, validation_alias="WHATSAPP_ENABLE_FAILOVER")

    @field_validator("provider", "backup_provider")
    @classmethod
    def _known(cls, value: str) -> str:
        value = value.lower()
        if value not in PROVIDERS:
            raise ValueError(f"not a provider with a gateway; known: {', '.join(PROVIDERS)}")
        return value

    @property
    def provider_order(self) -> tuple[str, ...]:
        """The default route: the provider, then its backup when failover is on."""
        if self.enable_failover and self.backup_provider != self.provider:
            return (self.provider, self.backup_provider)
        return (self.provider,)
