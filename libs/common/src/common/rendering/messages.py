"""The text of a notification, by its type."""

from collections.abc import Mapping

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationType
from common.kernel.text import normalise_message
from common.rendering.failures import Unrenderable
from common.rendering.template import render

TEMPLATES: dict[NotificationType, str] = {
    NotificationType.OTP: (
        "Kode verifikasi{% if purpose is defined and purpose %} untuk {{ purpose }}{% endif %}: *{{ code }}*\n\n"
        "Berlaku {{ validity }}. Jangan berikan kode ini kepada siapa pun, termasuk petugas kami."
    ),
}
"""The built-in templates, in Indonesian."""


def render_notification(
    notification_type: NotificationType,
    *,
    message: str | None,
    data: Mapping[str, object] | None,
    validity_seconds: float,
) -> str:
    """The text of one delivery. A `custom` message is sent as written, or is a template once it comes with data.

    Raises `Unrenderable` when there is no such text; the text may be empty and is not looked at any further.
    """
    if notification_type is NotificationType.CUSTOM:
        return normalise_message(message or "") if data is None else render(message or "", data)
    source = TEMPLATES.get(notification_type)
    if source is None:
        raise Unrenderable(f"there is no template for {notification_type}")
    return render(source, {**(data or {}), "validity": in_words(validity_seconds)})


def render_message(notification: NotificationDocument, member: AudienceMember) -> tuple[str, str | None]:
    """The text for one member of a notification's audience, and the template it comes from (`None`: free text).

    A member's own `message` and `data` each replace the notification's. Raises `Unrenderable`.
    """
    notification_type = NotificationType(notification["type"])
    text = render_notification(
        notification_type,
        message=member.get("message", notification["message"]),
        data=member.get("data", notification["data"]),
        validity_seconds=notification["validity_seconds"],
    )
    return text, notification_type.value if notification_type in TEMPLATES else None


def in_words(seconds: float) -> str:
    """A validity as it is told to people, never longer than it is: `5 menit`, `90 detik`."""
    whole = int(seconds)
    return f"{whole} detik" if whole < 120 and whole != 60 else f"{whole // 60} menit"
