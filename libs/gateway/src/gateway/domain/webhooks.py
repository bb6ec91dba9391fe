"""What a provider posts to us, and what it says: reports on messages, on devices, and what people wrote."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Protocol
from urllib.parse import parse_qsl

from common.contracts.events import Report, Webhook
from common.kernel.phone import InvalidPhone, normalise_recipient

END_OF_SECOND = timedelta(milliseconds=999)
MOST_WRONG = timedelta(days=7)
"""A provider's clock further away than this is not believed."""
_DIGITS = re.compile(r"\d")

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeviceSaid:
    """A device connected or disconnected; `device` is its number or its provider's name for it."""

    device: str | None
    connected: bool
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageSaid:
    """Somebody wrote to a device. `identity` is the same however often the provider tells of the message."""

    device: str | None
    identity: str
    message_from: str
    group: str | None
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class NotUnderstood:
    """A part of a webhook nobody can make sense of; `why` holds no digit of it."""

    why: str


Told = Report | DeviceSaid | MessageSaid | NotUnderstood


class Unreadable(Exception):  # noqa: N818 - failures are adjectives here
    """A webhook nobody can make sense of; the text says why and quotes no value of it."""


class Webhooks(Protocol):
    """How one provider's webhooks read. Pure."""

    def read(self, webhook: Webhook) -> Sequence[Told]:
        """What it says, in its order; nothing where it says nothing we keep. Raises `Unreadable` where nothing in it
        makes sense.
        """
        ...


def objects(webhook: Webhook) -> list[Fields]:
    """The objects in a body: JSON whatever its content type, else a form. Raises `Unreadable`."""
    text = webhook.body.strip()
    if not text:
        raise Unreadable("the body is empty")
    if text[0] in "{[":
        return _json_objects(text)
    if webhook.content_type.lower().startswith("multipart/form-data"):
        return [_multipart(webhook)]
    fields = dict(parse_qsl(text, keep_blank_values=True))
    if not fields:
        raise Unreadable("neither JSON nor a form")
    return [fields]


def read_each(webhook: Webhook, read: Callable[[Fields, Webhook], list[Told]]) -> list[Told]:
    """What the objects in a body say, one by one: one nobody can read takes none of the others with it.

    Raises `Unreadable` when nothing in the body makes sense.
    """
    told: list[Told] = []
    understood = False
    for fields in objects(webhook):
        try:
            said = read(fields, webhook)
        except Unreadable as error:
            said = [NotUnderstood(str(error))]
        understood |= not said or any(not isinstance(one, NotUnderstood) for one in said)
        told += said
    if told and not understood:
        raise Unreadable("; ".join(dict.fromkeys(one.why for one in told if isinstance(one, NotUnderstood))))
    return told


def unknown_word(state: str) -> NotUnderstood:
    """A state nobody knows, without what may be somebody's number in it."""
    return NotUnderstood(f"a state nobody knows: {_DIGITS.sub('#', state[:40])}")


def said_at(value: Any, received_at: datetime) -> datetime:
    """A moment as Unix seconds or ISO 8601; when it says none, or one that cannot be, the moment of receipt.

    Whole seconds say no more than in which second it was: the latest moment of it until the receipt, so that what a
    device met half a second before is not taken for newer.
    """
    text = str(value).strip() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    try:
        moment = datetime.fromtimestamp(float(text), UTC) if _is_number(text) else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return received_at
    if moment.tzinfo is None or abs(moment - received_at) > MOST_WRONG:
        return received_at
    if moment.microsecond or moment >= received_at:
        return moment
    return min(moment + END_OF_SECOND, received_at)


def word(fields: Fields, *names: str) -> str:
    """The first of these fields that holds text or a number, as text; empty when none does."""
    for name in names:
        value = fields.get(name)
        if isinstance(value, int | float | str) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip().encode("utf-8", "replace").decode()  # half an emoji can be read and not written
    return ""


def person(number: str) -> str:
    """A number as we store it; one from abroad, or a landline, as the provider writes it."""
    try:
        return normalise_recipient(number)
    except InvalidPhone:
        return number.partition("@")[0].lstrip("+")


def _is_number(text: str) -> bool:
    return bool(text) and text.replace(".", "", 1).isdecimal()


def _json_objects(text: str) -> list[Fields]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Unreadable("JSON that does not end as it begins") from error
    found = content if isinstance(content, list) else [content]
    if found and not any(isinstance(one, dict) for one in found):
        raise Unreadable("JSON that holds no object")
    return [one if isinstance(one, dict) else {} for one in found]


def _multipart(webhook: Webhook) -> Fields:
    head = f"Content-Type: {webhook.content_type}\r\n\r\n".encode("utf-8", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + webhook.body.encode("utf-8", "replace"))
    fields: dict[str, Any] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            fields[name] = _content(part)
    if not fields:
        raise Unreadable("a form without fields")
    return {name: value.strip() if isinstance(value, str) else value for name, value in fields.items()}


def _content(part: Any) -> str:
    if part.get_content_maintype() != "text":
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError) as error:
        raise Unreadable("a form in a character set nobody knows") from error
