"""The people a notification is planned for, found in the directory or named by it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import Channel
from common.kernel.identity import delivery_id
from common.kernel.phone import MOBILE, InvalidPhone, normalise_recipient

SEEN_OF_A_CUSTOMER = ("name", "area", "package_id")
"""What a template sees of a customer besides the id; what is not known is absent."""


@dataclass(frozen=True)
class Refusal:
    """Why a delivery can never be sent."""

    code: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Addressee:
    """One who is to have a delivery, also if it is known already that none can be sent (`refusal`)."""

    member: AudienceMember
    refusal: Refusal | None = None


def named(members: Iterable[AudienceMember]) -> list[Addressee]:
    """Those a notification carries itself."""
    return [Addressee(member) for member in members]


def customer(row: Mapping[str, Any], data: Mapping[str, object]) -> Addressee:
    """A row of the directory, with what a template sees of it."""
    identity = str(row["_id"])
    seen = {name: row[name] for name in SEEN_OF_A_CUSTOMER if row.get(name) is not None}
    phone = row.get("phone")
    refusal = None
    if not phone:
        to, refusal = _nobody(identity), _unreachable(identity, "has no phone number")
    elif MOBILE.match(phone):
        to = phone
    else:
        try:
            to = normalise_recipient(phone)
        except InvalidPhone as error:
            to, refusal = _nobody(identity), _unreachable(identity, f"has a phone number that is {error}")
    return Addressee(AudienceMember(to=to, data={**data, "customer": {"id": identity, **seen}}), refusal)


def stranger(identity: str, data: Mapping[str, object]) -> Addressee:
    """An id that was listed and is in no row."""
    refusal = Refusal("NOT_FOUND", f"there is no customer {identity}")
    return Addressee(AudienceMember(to=_nobody(identity), data={**data, "customer": {"id": identity}}), refusal)


def channel_of(member: AudienceMember) -> Channel:
    return Channel(member.get("channel", Channel.WHATSAPP))


def identity_of(notification: NotificationDocument, member: AudienceMember, text: str) -> str:
    """The delivery's identity: planning again gives the same, and an item with a text of its own has its own.

    Whom the directory names gets one delivery, however many of its rows have the number.
    """
    own_text = "audience_query" not in notification and ("message" in member or "data" in member)
    return delivery_id(notification["_id"], channel_of(member), member["to"], text if own_text else "")


def _nobody(identity: str) -> str:
    """Stands where a number would; it is none, and tells the rows apart."""
    return f"customer:{identity}"


def _unreachable(identity: str, why: str) -> Refusal:
    return Refusal("INVALID_PHONE", f"customer {identity} {why}")
