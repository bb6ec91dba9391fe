"""Reading what clients post: urlencoded by hand because it is the busiest path, the rest by the book."""

from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

import orjson
from python_multipart import parse_form

if TYPE_CHECKING:
    from python_multipart.multipart import Field, File


class UnreadableBodyError(Exception):
    """The body is not what its content type says."""


@dataclass(slots=True, frozen=True)
class PostedFile:
    """A multipart upload: its name and its size in bytes; the content is not kept."""

    name: str
    size: int


def read_urlencoded(body: bytes) -> dict[str, Any]:
    """Fields of a urlencoded body or query; a repeated name keeps its last value."""
    fields: dict[str, Any] = {}
    for pair in body.decode("utf-8", "replace").split("&"):
        name, _, value = pair.partition("=")
        if name:
            fields[unquote_plus(name)] = unquote_plus(value) if "%" in value or "+" in value else value
    return fields


def read_multipart(body: bytes, content_type: bytes) -> dict[str, Any]:
    """Fields of a multipart body; a file comes as a ``PostedFile``."""
    fields: dict[str, Any] = {}

    def keep_field(field: "Field") -> None:
        fields[_text(field.field_name)] = _text(field.value)

    def keep_file(file: "File") -> None:
        fields[_text(file.field_name)] = PostedFile(_text(file.file_name), file.size)

    try:
        parse_form({"Content-Type": content_type}, BytesIO(body), keep_field, keep_file)
    except ValueError as error:
        raise UnreadableBodyError("not a readable multipart body") from error
    return fields


def read_json(body: bytes) -> Any:
    """The decoded JSON value; ``UnreadableBodyError`` when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise UnreadableBodyError("not readable JSON") from error


def _text(raw: bytes | None) -> str:
    return (raw or b"").decode("utf-8", "replace")
