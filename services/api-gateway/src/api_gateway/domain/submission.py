"""What a client asks to send, once its shape is known to be right."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api_gateway.domain.refusals import Refused
from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority

Values = Mapping[str, object]


@dataclass(frozen=True)
class Item:
    """One recipient of a bulk call; what it leaves out is taken from the call. Of a row of a file `line` is where it
    begins, and `refused` why it cannot be read.
    """

    to: object
    message: str | None = None
    data: Values | None = None
    line: int | None = None
    refused: Refused | None = None


@dataclass(frozen=True)
class Submission:
    """Either `to` (one or many) or `items`, or neither for a type that knows its recipients; `bulk` when the answer
    should count like that of a list. `template` names the stored template of a `custom` one. `prefix` stands before
    the names of the data's fields where they are refused; with none they are in camelCase.
    """

    type: NotificationType
    to: Sequence[object] = ()
    items: Sequence[Item] = ()
    bulk: bool = False
    message: str | None = None
    data: Values | None = None
    priority: Priority | None = None
    send_at: str | None = None
    validity_seconds: float | None = None
    on_unknown: OnUnknown | None = None
    channels: tuple[Channel, ...] | None = None
    providers: tuple[str, ...] | None = None
    direct: bool = False
    force: bool = False
    template: str | None = None
    prefix: str = "data."


def field_of(prefix: str, name: str) -> str:
    """How a field of the data is named: after `prefix`, or in camelCase where the data is the body itself."""
    return f"{prefix}{name}" if prefix else camel(name)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
