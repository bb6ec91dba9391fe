"""Who a notification goes to: good recipients are kept, every refused one is told with its reason."""

import json
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from api_gateway.domain.channels import Reach
from api_gateway.domain.refusals import Code, Refused, unknown
from common.contracts.documents import AudienceMember
from common.contracts.vocabulary import Channel
from common.kernel.email import InvalidEmail, looks_like_email, normalise_email
from common.kernel.phone import MOBILE, InvalidPhone, mask, normalise_recipient

NO_NUMBER = 'must be a text like "6281200000001"'


@dataclass(frozen=True)
class Rejection:
    """A refused recipient: `index` from 0 in what was given, its value masked, the field at fault if it is one."""

    index: int
    value: str
    code: Code
    error: str
    field: str | None = None


@dataclass
class Audience:
    """`reach`: what a recipient may be reached by. `people`: whom the members are for, some by several channels."""

    reach: Reach = field(default_factory=Reach)
    members: list[AudienceMember] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    people: int = 0
    _seen: set[Hashable] = field(default_factory=set)

    def add(self, index: int, value: object, member: AudienceMember | None = None, content: str = "") -> None:
        """Take a recipient in, or reject it. `content` tells apart several messages to the same recipient."""
        channel = channel_of(value)
        try:
            recipient = _email(value) if channel is Channel.EMAIL else _recipient(value)
        except InvalidPhone as error:
            self.reject(index, value, Code.INVALID_PHONE, str(error), "to")
            return
        except InvalidEmail as error:
            self.reject(index, value, Code.INVALID_EMAIL, str(error), "to")
            return
        why_not = self.reach.why_not(channel)
        if why_not is not None:
            self.reject(index, value, why_not.code, why_not.error, "to")
            return
        identity = (recipient, content) if content else recipient
        if identity in self._seen:
            self.reject(index, value, Code.DUPLICATE_RECIPIENT, "the same recipient stands further up", "to")
            return
        self._seen.add(identity)
        self.people += 1
        self.members.append(
            _member(channel, recipient) if member is None else {**member, **_member(channel, recipient)}
        )

    def add_person(self, members: Sequence[AudienceMember]) -> None:
        """Take somebody in who is in the directory; an address that somebody before has is told once."""
        fresh = [one for one in members if one["to"] not in self._seen]
        if all("unreachable" in one for one in fresh):
            return
        self._seen.update(one["to"] for one in fresh)
        self.people += 1
        self.members += fresh

    def reject(self, index: int, value: object, code: Code, error: str, field_name: str | None = None) -> None:
        self.rejected.append(Rejection(index, _shown(value), code, error, field_name))

    def demand_somebody(self, nobody: str = "nobody is known whom it could go to") -> None:
        """Raise `Refused` with what is wrong with each when nobody is left, or saying that there is `nobody`."""
        if self.members:
            return
        if not self.rejected:
            raise unknown("to", nobody, code=Code.NO_RECIPIENT)
        first = self.rejected[0]
        raise Refused(first.code, f"no recipient can be accepted; the first one: {first.error}",
                      details={"rejected": self.rejected})  # fmt: skip


def channel_of(value: object) -> Channel:
    """By which channel a recipient somebody gave is meant to be told."""
    return Channel.EMAIL if isinstance(value, str) and looks_like_email(value[:400]) else Channel.WHATSAPP


def member_channel(member: AudienceMember) -> Channel:
    return Channel(member.get("channel", Channel.WHATSAPP))


def _member(channel: Channel, recipient: str) -> AudienceMember:
    return {"to": recipient} if channel is Channel.WHATSAPP else {"to": recipient, "channel": channel}


def _email(value: object) -> str:
    return normalise_email(str(value)[:400])


def _shown(value: object) -> str:
    """What was given, masked; of what is neither text nor number only what it is."""
    match value:
        case str():
            return mask(ascii(value)[1:-1][:40])
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return mask(str(value)[:40])
        case dict():
            return "an object"
        case _:
            return "a list"


def _recipient(value: object) -> str:
    if not isinstance(value, str):
        raise InvalidPhone(NO_NUMBER)
    return value if value.isascii() and MOBILE.fullmatch(value) else normalise_recipient(value[:200])
