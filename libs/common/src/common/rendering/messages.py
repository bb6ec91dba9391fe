"""The text of a notification, by its type.

What a template of a type (not `custom`) sees, and so what is stored in a notification's `data`:

- the fields of the type's shape in snake_case, those that are set: `shape.model_dump(mode="json", exclude_none=True)`;
- one object for each of the definition's `rows`, with the fields of that row of the directory that are known, dates and
  times as ISO 8601: `customer.name`, `invoice.amount`; what is unknown is absent. The object itself is always there,
  if need be empty. `customer` and `technician` are the ones the notification is about, `package` is the customer's, but
  for `upgrade_offer`, where it is the offered one;
- `validity`, how long it may wait, in words.

A `custom` template sees the given `data` and nothing else.
"""

from collections.abc import Mapping
from dataclasses import astuple, dataclass
from datetime import tzinfo

from common.catalogue.definitions import DEFINITIONS
from common.catalogue.texts import Texts, builtin_texts
from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import NotificationType
from common.kernel.text import normalise_message
from common.rendering.failures import Unrenderable
from common.rendering.template import begin, render

LONGEST_SUBJECT = 200


def render_notification(
    notification_type: NotificationType,
    *,
    message: str | None,
    data: Mapping[str, object] | None,
    validity_seconds: float,
    template: str | None = None,
    zone: tzinfo | None = None,
) -> str:
    """The text of one delivery: of `template` (a version's text) with `data`, or without one of the built-in text.

    A `custom` message without a template is sent as written, or is itself a template once it comes with data. Times
    are told in `zone` (`None`: Asia/Jakarta). Raises `Unrenderable` when there is no such text; the text may be empty
    and is not looked at any further.
    """
    if notification_type is NotificationType.CUSTOM and template is None:
        return normalise_message(message or "") if data is None else render(message or "", data, zone=zone)
    source = template if template is not None else _builtin(notification_type)
    return render(source, _values(notification_type, data, validity_seconds), zone=zone)


@dataclass(frozen=True)
class MailText:
    """An e-mail before it is written: its subject, on one line, and its text."""

    subject: str
    text: str

    @property
    def content(self) -> str:
        """What tells it apart from another one to the same address."""
        return f"{self.subject}\n{self.text}"


def render_mail(
    notification_type: NotificationType,
    *,
    data: Mapping[str, object] | None,
    validity_seconds: float,
    texts: Texts | None = None,
    zone: tzinfo | None = None,
) -> MailText:
    """The e-mail of one delivery, of a version's `texts` or the built-in ones. Raises `Unrenderable` when there is none
    or it cannot be made; subject and text may be empty.
    """
    texts = texts or builtin_texts(notification_type)
    if texts is None or texts.email_subject is None or texts.email_text is None:
        raise Unrenderable(f"{notification_type} has no e-mail text")
    values = _values(notification_type, data, validity_seconds)
    subject = " ".join(render(texts.email_subject, values, zone=zone).split())
    return MailText(subject[:LONGEST_SUBJECT], render(texts.email_text, values, zone=zone))


def render_message(
    notification: NotificationDocument,
    member: AudienceMember,
    template: str | None = None,
    *,
    zone: tzinfo | None = None,
) -> tuple[str, str | None]:
    """The text for one member of a notification's audience, and the template it comes from (`None`: free text).

    `template` is the text of the version that the notification names. A member's own `message` and `data` each replace
    the notification's. Raises `Unrenderable`.
    """
    notification_type = NotificationType(notification["type"])
    text = render_notification(
        notification_type,
        message=member.get("message", notification["message"]),
        data=member.get("data", notification["data"]),
        validity_seconds=notification["validity_seconds"],
        template=template,
        zone=zone,
    )
    builtin = None if notification_type is NotificationType.CUSTOM else notification_type.value
    return text, notification.get("template", builtin)


def begun(notification: NotificationDocument, texts: Texts, *, without: str, zone: tzinfo | None = None) -> Texts:
    """The texts for an audience that differs in nothing but the value `without`: the rest is rendered once for all."""
    kind = NotificationType(notification["type"])
    values = _values(kind, notification["data"], notification["validity_seconds"])
    return Texts(*(one and begin(one, values, without=without, zone=zone) for one in astuple(texts)))


def _values(
    notification_type: NotificationType, data: Mapping[str, object] | None, validity_seconds: float
) -> Mapping[str, object]:
    values = data or {}
    custom = notification_type is NotificationType.CUSTOM
    return values if custom else rendering_context(notification_type, values, validity_seconds)


def rendering_context(
    notification_type: NotificationType, data: Mapping[str, object], validity_seconds: float
) -> dict[str, object]:
    """Everything a template of the type sees."""
    rows: dict[str, object] = {row: {} for row in DEFINITIONS[notification_type].rows}
    return {**rows, **data, "validity": in_words(validity_seconds)}


def _builtin(notification_type: NotificationType) -> str:
    texts = builtin_texts(notification_type)
    if texts is None:
        raise Unrenderable(f"there is no template for {notification_type}")
    return texts.whatsapp


def in_words(seconds: float) -> str:
    """A validity as it is told to people, never longer than it is: `5 menit`, `90 detik`."""
    whole = int(seconds)
    return f"{whole} detik" if whole < 120 and whole != 60 else f"{whole // 60} menit"
