"""A notification whose recipients come as a CSV: what they share stands in the query, what differs in the rows."""

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Request

from api_gateway.application.tell_directory import Candidate
from api_gateway.domain.csv_records import Record, columns
from api_gateway.domain.refusals import Code, Refused, invalid
from api_gateway.domain.submission import Item, Submission
from api_gateway.entrypoints.bodies import Body, NotificationBody
from api_gateway.entrypoints.openapi import NOTIFICATION_EXAMPLES, REFERENCE, describe
from api_gateway.entrypoints.reading import MOST_BYTES, shaped
from api_gateway.entrypoints.uploads import CSV, Upload
from common.catalogue.definitions import DEFINITIONS
from common.contracts.requests import MOST_ITEMS, TemplateName
from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority

EXAMPLE = "to;name;amount\n6281200000001;Sari;Rp 250.000\n0812-0000-0002;Budi;Rp 300.000\n"
TO, MESSAGE = "to", "message"


class SharedBody(Body):
    """What the rows of a CSV share, as parameters; each means the same as in a `NotificationBody`."""

    type: NotificationType
    message: str | None = None
    template: TemplateName | None = None
    priority: Priority | None = None
    send_at: str | None = None
    validity_seconds: float | None = None
    on_unknown: OnUnknown | None = None
    channels: list[Channel] | None = None
    providers: list[Literal["fonnte", "wablas"]] | None = None
    force: bool = False


def describe_submitting() -> dict[str, Any]:
    """What FastAPI is told of `POST /api/notifications`; it does not read the parameters, which most requests lack."""
    told = describe(NotificationBody, NOTIFICATION_EXAMPLES, idempotent=True)
    told["requestBody"]["content"][CSV] = {"schema": {"type": "string"}, "example": EXAMPLE}
    shared = SharedBody.model_json_schema(ref_template=REFERENCE)["properties"]
    told["parameters"] += [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            "description": "Beside a CSV, and only there.",
        }
        for name, schema in shared.items()
    ]
    return told


def read_shared(request: Request) -> Submission:
    """What the parameters ask for, without its rows; raises `Refused`."""
    said = {name: request.query_params[name] for name in request.query_params}
    listed = {name: request.query_params.getlist(name) for name in said if name in {"channels", "providers"}}
    shared = shaped({**said, **listed}, SharedBody)
    return shaped(shared.model_dump(exclude_unset=True), NotificationBody).submission()


async def read_rows(request: Request, kind: NotificationType) -> tuple[list[Item], str]:
    """The rows, and the SHA-256 of the file; raises `Refused` for a file that is none, `Oversized` for too large a one.

    A row that cannot be read is an item that says why.
    """
    upload = Upload(request, most_bytes=MOST_BYTES, most_rows=MOST_ITEMS, before="")
    named: list[str] = []

    def header(record: Record) -> list[str]:
        named[:] = columns(record, _known(kind), needed=TO, others=kind is NotificationType.CUSTOM)
        return named

    rows = [row async for batch in upload.candidates(header) for row in batch]
    if not rows:
        raise invalid("body", "has no rows below its first line")
    with_data = not {TO, MESSAGE}.issuperset(named)
    return [_item(row, with_data=with_data) for row in rows], await upload.digest()


def _known(kind: NotificationType) -> list[str]:
    shape = DEFINITIONS[kind].shape
    return [TO, *([MESSAGE] if kind is NotificationType.CUSTOM else shape.model_fields if shape else [])]


def _item(row: Candidate, *, with_data: bool) -> Item:
    """`with_data`: there are columns of data, so that the text is a template even for a row with nothing in them."""
    if row.unreadable is not None:
        return Item("", line=row.line, refused=Refused(Code.VALIDATION_ERROR, row.unreadable))
    said: Mapping[str, str] = row.says  # type: ignore[assignment]  # of a CSV
    data = {name: value for name, value in said.items() if name not in {TO, MESSAGE}}
    return Item(said.get(TO, ""), said.get(MESSAGE), data if with_data else None, row.line)
