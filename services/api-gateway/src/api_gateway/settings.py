"""What this service reads from the environment."""

from pydantic import Field, SecretStr, field_validator

from common.config.whatsapp import LimitSettings
from common.kernel.phone import normalise_recipient


class Settings(LimitSettings):
    jwt_secret: SecretStr = Field(min_length=16, validation_alias="KABAR_JWT_SECRET")
    unknown_wait_seconds: float = Field(60.0, ge=0, le=3600, validation_alias="KABAR_UNKNOWN_WAIT_SECONDS")
    admin_number: str | None = Field(None, validation_alias="ADMIN_WHATSAPP_NUMBER")
    connect_timeout: float = Field(10.0, gt=0, le=300, validation_alias="WHATSAPP_CONNECT_TIMEOUT")
    read_timeout: float = Field(30.0, gt=0, le=300, validation_alias="WHATSAPP_READ_TIMEOUT")

    @field_validator("admin_number")
    @classmethod
    def _number(cls, value: str | None) -> str | None:
        return None if value is None else normalise_recipient(value)
