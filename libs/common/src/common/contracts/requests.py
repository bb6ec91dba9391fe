"""What a client asks to send, over HTTP and on the bus alike."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, StrictStr

from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority

MOST_RECIPIENTS = 100_000
MOST_ITEMS = 10_000
LONGEST_VALIDITY = 30 * 24 * 3600

TemplateName = Annotated[StrictStr, Field(pattern=r"^[a-z][a-z0-9-]{1,40}$")]
"""The name an operator gives a template for `custom`; a type's own template is named by the type's key."""
Values = dict[str, Any]
Seconds = Annotated[StrictInt | StrictFloat, Field(gt=0, le=LONGEST_VALIDITY, allow_inf_nan=False)]


class ItemFields(BaseModel):
    """One recipient of a bulk call; its `message` and `data` each replace the shared ones."""

    to: Any = Field(description="Phone number, group id or e-mail address.", json_schema_extra={"type": "string"})
    message: StrictStr | None = None
    data: Values | None = None


class NotificationFields(BaseModel):
    """A notification to accept: `to` with a shared message, or `items` with what differs.

    Types that know their recipients (a ticket's customer, all supervisors) need neither.
    """

    type: NotificationType
    to: StrictStr | list[Any] | None = Field(
        None,
        description=f"One recipient or up to {MOST_RECIPIENTS:,}: phone numbers (6281200000001) or groups (…@g.us) "
        "for WhatsApp, and e-mail addresses where the type has an e-mail text.",
        json_schema_extra={
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_RECIPIENTS},
            ]
        },
    )
    items: list[ItemFields] | None = Field(None, min_length=1, max_length=MOST_ITEMS)
    message: StrictStr | None = Field(None, description="With `data`, a template: `Halo {{ name }}`.")
    data: Values | None = Field(None, description="What the type is told with; for otp `code` and `purpose`.")
    template: TemplateName | None = Field(None, description="For custom: the name of a stored template, with `data`.")
    priority: Priority | None = None
    send_at: StrictStr | None = Field(None, description="ISO 8601; without an offset in KABAR_TIMEZONE.")
    validity_seconds: Seconds | None = Field(None, description="After it nothing is sent any more.")
    on_unknown: OnUnknown | None = Field(None, description="What follows when nobody can tell whether it was sent.")
    channels: list[Channel] | None = Field(
        None, min_length=1, max_length=len(Channel), description="Instead of those of the type's route."
    )
    providers: list[Literal["fonnte", "wablas"]] | None = Field(None, min_length=1, description="Of WhatsApp.")
    direct: StrictBool = Field(default=False, description="Skip the queue and wait for the provider (admin only).")
    force: StrictBool = Field(default=False, description="Accept it although it ends beyond its validity.")
