"""What the filters of templates share: values that are finished, and values that cannot be read."""

from typing import Any

from jinja2 import Undefined

from common.kernel.phone import mask_in_text
from common.rendering.failures import Unrenderable


class Finished(str):
    """A text a filter has made harmless itself; it stands in a message as it is."""

    __slots__ = ()


def unreadable(name: str, value: object, wanted: str) -> Unrenderable:
    """What a filter raises; a value that is missing is named by its name (`UndefinedError`)."""
    if isinstance(value, Undefined):
        str(value)
    shown = mask_in_text(ascii(value))[:60]
    return Unrenderable(f"`{name}` cannot read {shown}; give {wanted}")


def text_of(name: str, value: Any) -> str:
    """The text a filter is given; numbers are told as they are."""
    if isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    raise unreadable(name, value, "a text")
