"""Fonnte's words: its reasons, its variants, the shape of its refusals."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

# Source: docs.fonnte.com/api-send-message unless said. Every one comes with HTTP 200.
REASONS: dict[str, str] = {
    "token invalid": "the token is unknown",
    "invalid token": "the same, as answered live since 2026; comes without requestid",
    "devices must belong to an account": "a device without account",
    "unknown user": "an account token where a device token belongs, or the reverse",
    "target invalid": "no target is a usable number",
    "target input invalid": "the target's syntax, such as a group id without @g.us (seen in the field)",
    "input invalid": "a malformed parameter",
    "url invalid": "the attachment's address",
    "file format not supported": "the attachment's type",
    "file size must under 4MB": "the attachment's size",
    "url unreachable": "the attachment could not be fetched",
    "invalid/empty body value": "content type, or an empty or mistyped field (seen in the field)",
    "JSON format invalid": "the field named data",
    "insufficient quota": "the quota is used up",
    "request invalid on disconnected device": "the device lost its session",
    "target required": "/validate without target (docs.fonnte.com/category/device-api)",
    "invalid message id": "/delete-message (docs.fonnte.com/category/device-api)",
    "cannot delete message with status processing": "/delete-message, too late",
    "device already connect": "/qr of a connected device (assumed)",
    "device already disconnected": "/disconnect of a disconnected device, in detail",
    "cannot fetch with disconnected device": "/fetch-group, in detail",
    "failed to fetch whatsapp group list": "/fetch-group, in detail",
    "failed to get whatsapp group": "/get-whatsapp-group, in detail",
    "you have no whatsapp group yet": "/get-whatsapp-group, in detail: an empty list",
    "invalid message request": "a free device with an address, or a long text (assumed)",
}

WITHOUT_REQUEST_ID = frozenset({"invalid token"})

# What stops each kind of parameter; source: docs.fonnte.com/api-send-message.
ATTACHMENTS = frozenset(
    ["png", "jpg", "jpeg", "xlsx", "xls", "pdf", "doc", "docx", "ppt", "pptx", "csv", "mp4", "avi", "mp3"]
)
LARGEST_FILE = 4 * 1024 * 1024
LONGEST_MESSAGE = 60_000
LONGEST_SAFE_MESSAGE = 4096


class FonnteVariants(BaseModel):
    """Differences between live accounts and times; every default is the newest wire behaviour."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    ids: Literal["number", "string"] = "number"
    quota_key: Literal["62", "0", "none"] = "62"
    status_value: Literal["boolean", "text"] = "boolean"
    status_key: Literal["status", "Status"] = "status"
    error_key: Literal["reason", "detail"] = "reason"
    requestid: bool = True
    bad_token: Literal["invalid token", "token invalid", "unknown user"] = "invalid token"  # noqa: S105  # the wire's text
    json_send: Literal["strict", "refused", "target_and_message_only"] = "strict"
    above_4096: Literal["accept", "refuse"] = "accept"
    status_endpoint: Literal["deprecated", "answers"] = "deprecated"
    device_lag_seconds: Annotated[float, Field(ge=0)] = 0.0
    groups: Literal["some", "none", "failing"] = "some"
    overlapping_validate: Literal["fine", "spoils"] = "fine"


# These endpoints put their error into detail; source: docs.fonnte.com/category/device-api.
ERROR_IN_DETAIL = frozenset(["disconnect", "fetch-group", "get-whatsapp-group"])


def refusal(reason: str, variants: FonnteVariants, *, endpoint: str, request_id: int) -> dict[str, Any]:
    """``{"status": false, "reason": ..., "requestid": ...}`` in the dialect of the day."""
    content: dict[str, Any] = {"detail" if endpoint in ERROR_IN_DETAIL else variants.error_key: reason}
    if variants.requestid and reason not in WITHOUT_REQUEST_ID:
        content["requestid"] = request_id
    content[variants.status_key] = "false" if variants.status_value == "text" else False
    return content
