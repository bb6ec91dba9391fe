"""Wablas' words: its messages with their HTTP status, and its variants."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

# Source: wablas.com/documentation/api and reports from the field; a status nobody documents is assumed.
REASONS: dict[str, tuple[int, str]] = {
    "token invalid or device expired": (500, "wrong token, expired device, wrong server; 400 elsewhere"),
    "secret key invalid": (403, "wrong secret, or the address is not on the whitelist"),
    "need secret key": (403, "the secret is missing (assumed)"),
    "not authorized": (403, "no usable Authorization header (assumed)"),
    "device disconnected, need to scan qr code again": (400, "the device lost its session"),
    "device not found": (400, "no such device (assumed)"),
    "device blocked": (400, "WhatsApp blocked the number (assumed)"),
    "Report generation limit exceeded": (429, "reports only; 500 with a valid report elsewhere (assumed)"),
    "quota exceeded": (200, "the quota is used up (text assumed)"),
    "format phone invalid": (200, "this item of a batch that is otherwise accepted"),
    "param invalid": (400, "a missing or malformed parameter (assumed)"),
    "Id Invalid or message is not pending anymore": (400, "cancelling what is not pending"),
}

QUOTA = "quota exceeded"
BAD_PHONE = "format phone invalid"
BAD_PARAMETER = "param invalid"
BAD_TOKEN = "token invalid or device expired"  # noqa: S105  # the wire's text
DISCONNECTED = "device disconnected, need to scan qr code again"
LARGEST_BATCH = 100
LONGEST_MESSAGE = 1024


class WablasVariants(BaseModel):
    """Differences between server editions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    phone: Literal["number", "string"] = "number"
    ref_id: Literal["echo", "null", "empty", "absent"] = "echo"
    quota: Literal["number", "unlimited", "absent"] = "number"
    bad_token_status: Literal[500, 400] = 500
    second_half: Literal["required", "optional"] = "required"
    above_1024: Literal["refuse", "cut", "accept"] = "refuse"
    report: Literal["fine", "limited", "500_with_report"] = "fine"
    report_lag_seconds: Annotated[float, Field(ge=0)] = 0.0


class WablasFailure(Exception):  # noqa: N818  # a refusal is an ordinary answer, not an error
    """A refusal; ``reason`` is the wire's text."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
