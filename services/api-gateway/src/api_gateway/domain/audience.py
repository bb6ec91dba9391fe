"""Who a notification goes to: good recipients are kept, every refused one is told with its reason."""

import json
from collections.abc import Hashable
from dataclasses import dataclass, field

from api_gateway.domain.refusals import Code, Refused, unknown
from common.contracts.documents import AudienceMember
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
    members: list[AudienceMember] = field(default_factory=list)
    rejected: list[Rejection] = field(default_factory=list)
    _seen: set[Hashable] = field(default_factory=set)

    def add(self, index: int, value: object, member: AudienceMember | None = None, content: str = "") -> None:
        """Take a recipient in, or reject it. `content` tells apart several messages to the same recipient."""
        try:
            recipient = _recipient(value)
        except InvalidPhone as error:
            self.reject(index, value, Code.INVALID_PHONE, str(error), "to")
            return
        identity = (recipient, content) if content else recipient
        if identity in self._seen:
            self.reject(index, value, Code.DUPLICATE_RECIPIENT, "the same recipient stands further up", "to")
            return
        self._seen.add(identity)
        self.members.append({"to": recipient} if member is None else {**member, "to": recipient})

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
