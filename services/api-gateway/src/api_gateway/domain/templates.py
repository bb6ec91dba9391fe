"""Names, sources and rendered texts of templates: what may be published, and how it would look."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from functools import partial
from typing import TypeVar

from api_gateway.domain.refusals import Refused, invalid
from api_gateway.domain.texts import check_source, check_text
from common.catalogue.definitions import DEFINITIONS
from common.catalogue.examples import example_context, example_rows, least_data
from common.catalogue.texts import Texts
from common.catalogue.values import known_values
from common.contracts.vocabulary import NotificationType
from common.rendering.failures import Unrenderable
from common.rendering.messages import LONGEST_SUBJECT, rendering_context
from common.rendering.template import check, render

T = TypeVar("T")
_OWN = re.compile(r"[a-z][a-z0-9-]{1,40}\Z")
_TYPES = {kind.value for kind in NotificationType}
FIELDS = ("whatsapp", "email_subject", "email_text")


@dataclass(frozen=True)
class Rendered:
    """The texts of a template with some data."""

    whatsapp: str
    email_subject: str | None
    email_text: str | None


def type_of(name: str) -> NotificationType:
    """The type a template is for: the one it is named after, else `custom`. Raises `Refused` for what is no name."""
    if name == NotificationType.CUSTOM:
        raise invalid("name", "custom has no template of its own; choose a name like promo-akhir-tahun")
    if name in _TYPES:
        return NotificationType(name)
    if not _OWN.match(name):
        wanted = "a notification type, or a name of 2 to 41 small letters, digits and dashes that begins with a letter"
        raise invalid("name", wanted)
    return NotificationType.CUSTOM


def check_texts(name: str, texts: Texts) -> Texts:
    """The texts with one kind of line end; raises `Refused` for what is no template or names what nobody gives."""
    known = known_values(type_of(name))
    if (texts.email_subject is None) != (texts.email_text is None):
        missing = "email_subject" if texts.email_subject is None else "email_text"
        raise invalid(missing, "an e-mail has a subject and a text; give both or neither")
    checked = [None if source is None else check_source(field, source) for field, source in _sources(texts)]
    for field, source in zip(FIELDS, checked, strict=True):
        if source is not None:
            _named(field, partial(check, source, known))
    return Texts(checked[0] or "", *checked[1:])


def values_for(name: str, data: Mapping[str, object] | None) -> dict[str, object]:
    """What a preview is rendered with: the type's example, or the given data beside the example's rows."""
    kind = type_of(name)
    if kind is NotificationType.CUSTOM:
        return dict(data or {})
    values = example_context(kind) if data is None else {**example_rows(kind), **data}
    return rendering_context(kind, values, DEFINITIONS[kind].route.validity_seconds)


def rendered(texts: Texts, values: Mapping[str, object], zone: tzinfo) -> Rendered:
    """Raises `Refused`, naming the text and its line, when it cannot be rendered or has nothing to read."""
    found: dict[str, str | None] = dict.fromkeys(FIELDS)
    for field, source in _sources(texts):
        if source is not None:
            text = _named(field, partial(render, source, values, zone=zone))
            check_text(field, text)
            found[field] = text
    subject = found["email_subject"]
    if subject is not None and ("\n" in subject or len(subject) > LONGEST_SUBJECT):
        raise invalid("email_subject", f"must be one line of at most {LONGEST_SUBJECT} characters")
    return Rendered(found["whatsapp"] or "", subject, found["email_text"])


def shortcomings(name: str, texts: Texts, shown: Rendered, limits: Mapping[str, int], zone: tzinfo) -> list[str]:
    """What does not keep a text from being published, but would from being sent: optional values that it needs, and
    providers that it is too long for.
    """
    found = []
    kind = type_of(name)
    if kind is not NotificationType.CUSTOM:
        least = rendering_context(kind, least_data(kind), DEFINITIONS[kind].route.validity_seconds)
        try:
            rendered(texts, least, zone)
        except Refused as error:
            found.append(f"without the values that may be missing it cannot be sent: {error.error}")
    length = len(shown.whatsapp)
    for provider, limit in sorted(limits.items()):
        if length > limit:
            found.append(f"{length:,} characters with the example; {provider} takes {limit:,} and is left out then")
    return found


def _sources(texts: Texts) -> list[tuple[str, str | None]]:
    return list(zip(FIELDS, (texts.whatsapp, texts.email_subject, texts.email_text), strict=True))


def _named(field: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Unrenderable as error:
        raise invalid(field, str(error)) from error
