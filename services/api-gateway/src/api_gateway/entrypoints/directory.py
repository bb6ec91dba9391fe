"""/api/directory: the rows of customers, technicians, staff, tickets, invoices and packages."""

import unicodedata
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.once import FIELD
from api_gateway.application.ports import Answer
from api_gateway.application.tell_directory import Candidate, Counted, Selection, code_of
from api_gateway.domain.access import ADMINS, Caller, Scope
from api_gateway.domain.csv_records import columns
from api_gateway.domain.refusals import Code, Oversized, Problem, Refused, invalid, missing
from api_gateway.entrypoints import editing_answers as answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import having
from api_gateway.entrypoints.openapi import describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.posting import answered, post
from api_gateway.entrypoints.reading import read_json, refused, shaped
from api_gateway.entrypoints.row_bodies import ROW_BODIES, RowBody, RowsBody
from api_gateway.entrypoints.uploads import BATCH, CSV, Upload, is_csv
from api_gateway.entrypoints.uses import uses
from common.contracts.tellings import Outcome
from common.kernel.phone import mask

router = APIRouter(prefix="/api/directory", tags=["directory"])
Reader = Annotated[Caller, Depends(having(ADMINS, scope=Scope.DIRECTORY_READ))]
Writer = Annotated[Caller, Depends(having(ADMINS, scope=Scope.DIRECTORY_WRITE))]
DryRun = Annotated[bool, Query(description="Check everything and write nothing.")]
_Q = "Begins its identity or a word of its name, or is its whole number."
_CUSTOMER = {"id": "C-1", "name": "Sari", "phone": "0812-0000-0001", "area": "Bandung", "status": "active"}
_CSV = "id;name;phone;area;status\nC-1;Sari;0812-0000-0001;Bandung;active\n"
_SCHEMAS = [{"$ref": f"#/components/schemas/{body.__name__}"} for body in ROW_BODIES.values()]
_ONE = describe(RowsBody, {"customers": _CUSTOMER}, idempotent=True)
_ONE["requestBody"]["content"]["application/json"]["schema"] = {"anyOf": _SCHEMAS}
_MANY = describe(RowsBody, {"customers": {"items": [_CUSTOMER]}}, idempotent=True)
_MANY["requestBody"]["content"][CSV] = {"schema": {"type": "string"}, "example": _CSV}


@router.get("/{kind}", response_model=answers.Rows, summary="Rows of a kind, by their identities")
async def list_rows(  # noqa: PLR0917 - FastAPI calls it by name
    request: Request,
    kind: str,
    _: Reader,
    q: Annotated[
        str | None, Query(max_length=120, description="Begins its identity or a word of its name, or is its number.")
    ] = None,
    area: Annotated[str | None, Query(max_length=120)] = None,
    status: Annotated[str | None, Query(max_length=40)] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    _check_printable(q=q, area=area, status=status)
    _check_filters(_shape(kind), area=area, status=status)
    found = await uses(request).directory.page(kind, Selection(q or None, area, status, after_cursor(cursor), limit))
    last = found[-1]["_id"] if len(found) == limit else None
    return JSON({"items": [_view(kind, row) for row in found], "next_cursor": cursor_after(last)})


@router.get("/{kind}/{identity:path}", response_model=answers.Row, summary="One row")
async def show(request: Request, kind: str, identity: str, _: Reader) -> Response:
    _shape(kind)
    found = await uses(request).directory.get(kind, identity)
    if found is None:
        raise missing(f"row in {kind}", identity)
    return JSON(_view(kind, found))


@router.put(
    "/{kind}/{identity:path}",
    response_model=answers.RowDone,
    summary="Tell of one row; what is left out stays",
    openapi_extra=_ONE,
)
async def put(request: Request, kind: str, identity: str, caller: Writer, dry_run: DryRun = False) -> Response:  # noqa: FBT002
    shape = _shape(kind)
    document = await read_json(request)

    async def act(turn: Turn) -> Answer:
        row = shaped({"id": identity, **document}, shape)
        if row.id != identity:
            raise invalid("id", "is another one in the path; leave it out")
        if dry_run:
            return answered(await _tell_one(request, row, turn, dry_run=True))
        async with uses(request).audit.changing(caller, "directory.tell", f"{kind}/{identity}") as change:
            told = await _tell_one(request, row, turn, dry_run=False)
            change.after = {name: told[name] for name in ("outcome", "changed")}
        found = await uses(request).directory.get(kind, identity)
        return answered({**told, **_view(kind, found or {"_id": identity})})

    return await post(request, caller, {"document": document, "dry_run": dry_run}, act)


@router.post(
    "/{kind}",
    response_model=answers.RowsTold,
    summary="Tell of many rows, as JSON or CSV; what is left out stays",
    openapi_extra=_MANY,
)
async def tell(request: Request, kind: str, caller: Writer, dry_run: DryRun = False) -> Response:  # noqa: FBT002
    shape = _shape(kind)
    if is_csv(request):
        return await _tell_csv(request, caller, shape, dry_run=dry_run)
    document = await read_json(request)

    async def act(turn: Turn) -> Answer:
        items = shaped(document, RowsBody).items
        return answered(await _tell_many(request, caller, shape, _batches(items), turn, dry_run=dry_run))

    return await post(request, caller, {"document": document, "dry_run": dry_run}, act)


async def _tell_csv(request: Request, caller: Caller, shape: type[RowBody], *, dry_run: bool) -> Response:
    """The file is not read before it is told, so whether a repeated request brings the same one is found out last."""
    upload = Upload(request)

    async def act(turn: Turn) -> Answer:
        told = await _tell_many(
            request,
            caller,
            shape,
            upload.candidates(partial(columns, known=list(shape.model_fields))),
            turn,
            dry_run=dry_run,
        )
        return answered({**told, "sha256": await upload.digest()})

    response = await post(request, caller, {"csv": True, "dry_run": dry_run}, act)
    replayed = "Idempotent-Replayed" in response.headers
    if replayed and orjson.loads(response.body)["sha256"] != await upload.digest():
        error = "it was used for another request; choose a new key for each new request"
        raise Refused(Code.IDEMPOTENCY_CONFLICT, f"{FIELD}: {error}", [Problem(FIELD, error)])
    return response


async def _tell_many(
    request: Request,
    caller: Caller,
    shape: type[RowBody],
    batches: AsyncIterator[Sequence[Candidate]],
    turn: Turn,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    counted = Counted()
    many = partial(uses(request).tell_directory.many, shape, batches, at=turn.since, counted=counted)
    try:
        if dry_run:
            await many(dry_run=True)
        else:
            async with uses(request).audit.changing(caller, "directory.tell", shape.kind) as change:
                await many(dry_run=False)
                change.after = _counts(counted)
    except Oversized as oversized:
        oversized.details = {**oversized.details, **_counts(counted)}
        raise
    refusals = [asdict(one) for one in counted.refusals]
    return {"success": True, "dry_run": dry_run, **_counts(counted), "refusals": refusals}


async def _tell_one(request: Request, row: RowBody, turn: Turn, *, dry_run: bool) -> dict[str, Any]:
    told = await uses(request).tell_directory.one(row, at=turn.since, dry_run=dry_run)
    if told.problem is not None:
        raise invalid(told.problem.field, told.problem.reason, code_of(told.problem))
    return {"success": True, "dry_run": dry_run, "id": told.id, "outcome": told.outcome, "changed": told.changed}


async def _batches(items: Sequence[object]) -> AsyncIterator[list[Candidate]]:
    for begin in range(0, len(items), BATCH):
        yield [Candidate(number, says) for number, says in enumerate(items[begin : begin + BATCH], begin + 1)]


def _shape(kind: str) -> type[RowBody]:
    shape = ROW_BODIES.get(kind)
    if shape is None:
        raise missing(f"kind of row; there are {', '.join(ROW_BODIES)}, not", kind)
    return shape


def _check_filters(shape: type[RowBody], **filters: str | None) -> None:
    told = {name: value for name, value in filters.items() if value is not None}
    try:
        shape.model_validate({"id": "any", **told})
    except ValidationError as error:
        raise refused(error, shape) from error


def _check_printable(**filters: str | None) -> None:
    """No row holds a control character, and MongoDB takes no NUL in a pattern."""
    for name, value in filters.items():
        if value is not None and any(unicodedata.category(character) == "Cc" for character in value):
            raise invalid(name, "may not hold control characters")


def _counts(counted: Counted) -> dict[str, int]:
    return {"read": counted.read, **{outcome.value: counted.outcomes[outcome] for outcome in Outcome}}


def _view(kind: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers are masked here as everywhere; what nobody told is null."""
    view: dict[str, Any] = {name: row.get(name) for name in ROW_BODIES[kind].model_fields if name != "id"}
    if view.get("phone") is not None:
        view["phone"] = mask(view["phone"])
    return {"id": row["_id"], **view, "changed_at": row.get("changed_at")}
