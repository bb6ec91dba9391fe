"""The people a notification is planned for, found in the directory or named by it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.contracts.documents import AudienceMember, NotificationDocument
from common.contracts.vocabulary import BY_WHATSAPP, NO_ADDRESS, Channel
from common.kernel.email import InvalidEmail, normalise_email
from common.kernel.identity import delivery_id
from common.kernel.phone import MOBILE, InvalidPhone, normalise_recipient

UNREACHABLE = {Channel.WHATSAPP: "INVALID_PHONE", Channel.EMAIL: "INVALID_EMAIL"}
"""The code of what can be told by no channel at all, or was refused because of its recipient."""
CUSTOMER = "customer"
"""All that what is told to one customer of an audience differs in from what is told to another."""
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
    """Those a notification carries itself; who has no address for a channel has one for another."""
    return [
        Addressee(one, Refusal(NO_ADDRESS, one["unreachable"]) if "unreachable" in one else None) for one in members
    ]


def customer(row: Mapping[str, Any], data: Mapping[str, object], channels: Sequence[Channel]) -> list[Addressee]:
    """A row of the directory by each channel, with what a template sees of it.

    Who has no address for one channel and one for another is told by that: nobody has to mend anything.
    """
    identity = str(row["_id"])
    seen = {name: row[name] for name in SEEN_OF_A_CUSTOMER if row.get(name) is not None}
    told = {**data, CUSTOMER: {"id": identity, **seen}}
    found = [(channel, *_ADDRESSES[channel](row)) for channel in channels]
    reached = any(to for _, to, _ in found)
    addressees = []
    for channel, to, lacking in found:
        refusal = None
        if not to:
            code = NO_ADDRESS if reached else UNREACHABLE[channel]
            refusal = Refusal(code, f"customer {identity} {lacking}")
        addressees.append(Addressee(_member(to or _nobody(identity), channel, told), refusal))
    return addressees


def stranger(identity: str, data: Mapping[str, object], channels: Sequence[Channel]) -> list[Addressee]:
    """An id that was listed and is in no row."""
    refusal = Refusal("NOT_FOUND", f"there is no customer {identity}")
    told = {**data, CUSTOMER: {"id": identity}}
    return [Addressee(_member(_nobody(identity), channel, told), refusal) for channel in channels]


def channel_of(member: AudienceMember) -> Channel:
    return Channel(member.get("channel", Channel.WHATSAPP))


def channels_of(notification: NotificationDocument) -> list[Channel]:
    return [Channel(one) for one in notification.get("channels", BY_WHATSAPP)]


def identity_of(notification: NotificationDocument, member: AudienceMember, text: str) -> str:
    """The delivery's identity: planning again gives the same, and an item with a text of its own has its own.

    Whom the directory names gets one delivery, however many of its rows have the number.
    """
    own_text = "audience_query" not in notification and ("message" in member or "data" in member)
    return delivery_id(notification["_id"], channel_of(member), member["to"], text if own_text else "")


def _nobody(identity: str) -> str:
    """Stands where a number would; it is none, and tells the rows apart."""
    return f"customer:{identity}"


def _member(to: str, channel: Channel, data: dict[str, object]) -> AudienceMember:
    member = AudienceMember(to=to, data=data)
    if channel is not Channel.WHATSAPP:
        member["channel"] = channel
    return member


def _phone(row: Mapping[str, Any]) -> tuple[str, str]:
    """The number, or what is wrong with it."""
    phone = row.get("phone")
    if not phone:
        return "", "has no phone number"
    if MOBILE.match(phone):
        return phone, ""
    try:
        return normalise_recipient(phone), ""
    except InvalidPhone as error:
        return "", f"has a phone number that is {error}"


def _email(row: Mapping[str, Any]) -> tuple[str, str]:
    email = row.get("email")
    if not email:
        return "", "has no e-mail address"
    try:
        return normalise_email(email), ""
    except InvalidEmail as error:
        return "", f"has an e-mail address in which {error}"


_ADDRESSES = {Channel.WHATSAPP: _phone, Channel.EMAIL: _email}
