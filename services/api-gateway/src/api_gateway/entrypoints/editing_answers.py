"""What clients are answered about templates, routes and rows of the directory, as /openapi.json tells it."""

from datetime import datetime
from typing import Any, Union

from pydantic import BaseModel, create_model

from api_gateway.entrypoints.answers import Done, Page
from api_gateway.entrypoints.row_bodies import ROW_BODIES
from common.contracts.tellings import Outcome
from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority


class TemplateSummary(BaseModel):
    id: str
    name: str
    type: NotificationType
    version: int
    channels: list[Channel]
    origin: str
    created_by: str
    created_at: datetime


class TemplateVersion(TemplateSummary):
    whatsapp: str
    email_subject: str | None
    email_text: str | None


class Template(TemplateVersion):
    """`values`: what the texts may name; null for a template of an operator's own."""

    values: list[str] | None
    example: dict[str, Any] | None
    versions: list[TemplateSummary]


class TemplatePublished(TemplateVersion, Done):
    warnings: list[str]


class TemplateFits(BaseModel):
    """Of so many characters a provider takes at `most`."""

    most: int
    fits: bool
    left: int


class TemplatePreviewText(BaseModel):
    text: str
    characters: int
    providers: dict[str, TemplateFits]


class TemplatePreviewMail(BaseModel):
    subject: str | None
    text: str
    characters: int


class TemplatePreview(Done):
    """`version` is null for a text that is not published."""

    name: str
    version: int | None
    whatsapp: TemplatePreviewText
    email: TemplatePreviewMail | None


class RouteHours(BaseModel):
    begins: str
    ends: str


class RouteFields(BaseModel):
    """`providers` and `unknown_wait_seconds` null: the settings. `hours` null: at any time."""

    priority: Priority
    channels: list[Channel]
    validity_seconds: float
    on_unknown: OnUnknown
    unknown_wait_seconds: float | None
    hours: RouteHours | None
    dedupe_seconds: float
    suppressible: bool
    providers: list[str] | None
    enabled: bool


class Route(RouteFields):
    """As it goes now; `changed`: which of its fields an operator set."""

    type: NotificationType
    changed: list[str]
    default: RouteFields
    revision: int
    changed_by: str | None
    changed_at: datetime | None


class RouteDone(Route, Done):
    pass


class RowRefused(BaseModel):
    row: int
    line: int | None
    id: str | None
    field: str | None
    value: str | None
    code: str
    error: str


class RowsTold(Done):
    """How many rows were `read`, and what became of them; `sha256` of a CSV file."""

    dry_run: bool
    read: int
    new: int
    changed: int
    unchanged: int
    refused: int
    refusals: list[RowRefused]
    sha256: str | None = None


class RowTold(Done):
    """`changed`: the fields whose value is another one now."""

    dry_run: bool
    id: str
    outcome: Outcome
    changed: list[str]


class Kept(BaseModel):
    """A row; what nobody told is null, its number is masked."""

    id: str
    changed_at: datetime | None


def _row(body: type[BaseModel]) -> type[Kept]:
    fields: dict[str, Any] = {
        name: (field.annotation, ...) for name, field in body.model_fields.items() if name != "id"
    }
    return create_model(body.__name__.removesuffix("Body"), __base__=Kept, __doc__=Kept.__doc__, **fields)


_ROWS = [_row(body) for body in ROW_BODIES.values()]
_TOLD = [create_model(f"{row.__name__}Told", __base__=(RowTold, row)) for row in _ROWS]
Row: Any = Union[tuple(_ROWS)]  # noqa: UP007 - there is no `|` for a list
Rows = create_model("Rows", __base__=Page[Row])
RowDone: Any = Union[(*_TOLD, RowTold)]
