"""Where somebody of the directory is told: one member of the audience for each channel."""

from dataclasses import dataclass

from api_gateway.application.catalogue_ports import Stored
from api_gateway.domain.channels import MAIL_IS_OFF, Channels
from api_gateway.domain.refusals import Code
from common.contracts.documents import AudienceMember
from common.contracts.vocabulary import Channel
from common.kernel.email import InvalidEmail, normalise_email
from common.kernel.phone import InvalidPhone, normalise_recipient


@dataclass(frozen=True)
class Reached:
    """The members for one person; with none of them there is `error`, and its code, in words about the person."""

    members: list[AudienceMember]
    code: Code = Code.INVALID_PHONE
    error: str = ""


def reach(kind: str, person: Stored, channels: Channels) -> Reached:
    """A channel for which the person has no address is told as such, as long as there is another one that works."""
    found = {channel: _address(person, channel) for channel in channels.told}
    good = [channel for channel in channels.working if found[channel].to]
    if good:
        return Reached([_member(str(person["_id"]), kind, channel, one) for channel, one in found.items()])
    lacking = " and ".join(one.lacking for one in found.values() if one.lacking)
    off = MAIL_IS_OFF if set(channels.told) - set(channels.working) else ""
    code = Code.INVALID_EMAIL if channels.told == (Channel.EMAIL,) else Code.INVALID_PHONE
    error = "; ".join(part for part in (f"{kind} {person['_id']} {lacking}" if lacking else "", off) if part)
    return Reached([], code, error)


@dataclass(frozen=True)
class _Address:
    to: str = ""
    lacking: str = ""


def _address(person: Stored, channel: Channel) -> _Address:
    if channel is Channel.WHATSAPP:
        phone = person.get("phone")
        if phone is None:
            return _Address(lacking="has no phone number")
        try:
            return _Address(normalise_recipient(str(phone)))
        except InvalidPhone as error:
            return _Address(lacking=f"has a phone number that is {error}")
    email = person.get("email")
    if email is None:
        return _Address(lacking="has no e-mail address")
    try:
        return _Address(normalise_email(str(email)))
    except InvalidEmail as error:
        return _Address(lacking=f"has an e-mail address in which {error}")


def _member(identity: str, kind: str, channel: Channel, address: _Address) -> AudienceMember:
    member: AudienceMember = {"to": address.to or f"{kind}:{identity}"}
    if channel is not Channel.WHATSAPP:
        member["channel"] = channel
    if not address.to:
        member["unreachable"] = f"{kind} {identity} {address.lacking}"
    return member
