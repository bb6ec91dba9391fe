"""Keep rows that are told over HTTP: check each, write them in batches, count what came of them."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from pydantic import ValidationError

from api_gateway.domain.refusals import Code
from api_gateway.domain.wording import in_words
from common.contracts.directory import Row
from common.contracts.tellings import Erased, Outcome, Telling, Told, Unfit
from common.kernel.phone import mask, mask_in_text

MOST_REFUSALS = 1_000
MOST_SHOWN = 80
_PHONE = "phone"


@dataclass(frozen=True)
class Selection:
    """Which rows are asked for; `q` begins their identity or their name from one of its words on, or is their whole
    number; `after` is the last one of the page before.
    """

    q: str | None = None
    area: str | None = None
    status: str | None = None
    after: str | None = None
    limit: int = 50


class Directory(Protocol):
    async def tell(self, kind: str, tellings: Sequence[Telling], *, dry_run: bool = False) -> list[Told]: ...

    async def get(self, kind: str, identity: str) -> dict[str, Any] | None: ...

    async def page(self, kind: str, selection: Selection) -> list[dict[str, Any]]:
        """In the order of their identities."""
        ...


@dataclass(frozen=True)
class Candidate:
    """One row as it was sent: what it says, or why that cannot be read. `row` counts from 1; `line` is where it begins
    in a file.
    """

    row: int
    says: object = None
    line: int | None = None
    unreadable: str | None = None


@dataclass(frozen=True)
class Refusal:
    """Why a row was left out. `value` is cut short, numbers in it masked."""

    row: int
    line: int | None
    id: str | None
    field: str | None
    value: str | None
    code: Code
    error: str


@dataclass
class Counted:
    """What came of the rows so far; `refusals` are the first of them."""

    read: int = 0
    outcomes: dict[Outcome, int] = field(default_factory=lambda: dict.fromkeys(Outcome, 0))
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, refusals: Sequence[Refusal]) -> None:
        self.outcomes[Outcome.REFUSED] += 1
        self.refusals += refusals[: MOST_REFUSALS - len(self.refusals)]


@dataclass(frozen=True)
class TellDirectory:
    """All rows of one call are told at the moment it was first asked for: repeated, it beats nothing that came in
    between. Of one that stands twice the later counts.
    """

    directory: Directory

    async def many(
        self,
        shape: type[Row],
        batches: AsyncIterator[Sequence[Candidate]],
        *,
        at: datetime,
        dry_run: bool,
        counted: Counted,
    ) -> None:
        """`shape` is what a row must look like. With `dry_run` nothing is written."""
        async for batch in batches:
            counted.read += len(batch)
            fit: list[tuple[Candidate, Telling]] = []
            unfit: list[list[Refusal]] = []
            for candidate in batch:
                row = _shaped(candidate, shape)
                if isinstance(row, Row):
                    fit.append((candidate, Telling(row, at, version=candidate.row)))
                else:
                    unfit.append(row)
            tellings = [telling for _, telling in fit]
            told = await self.directory.tell(shape.kind, tellings, dry_run=dry_run) if fit else []
            for (candidate, telling), one in zip(fit, told, strict=True):
                if one.problem is None:
                    counted.outcomes[one.outcome] += 1
                else:
                    unfit.append([_unfit(candidate, telling.row, one.problem)])
            for refusals in sorted(unfit, key=lambda refusals: refusals[0].row):
                counted.refuse(refusals)

    async def one(self, row: Row, *, at: datetime, dry_run: bool) -> Told:
        (told,) = await self.directory.tell(row.kind, [Telling(row, at)], dry_run=dry_run)
        return told


def code_of(problem: Unfit) -> Code:
    return Code.INVALID_PHONE if problem.field == _PHONE and not isinstance(problem, Erased) else Code.VALIDATION_ERROR


def _shaped(candidate: Candidate, shape: type[Row]) -> Row | list[Refusal]:
    if candidate.unreadable is not None:
        return [_refusal(candidate, None, None, Code.VALIDATION_ERROR, candidate.unreadable)]
    try:
        return shape.model_validate(candidate.says)
    except ValidationError as error:
        return [_of_field(candidate, one, shape) for one in error.errors(include_url=False)]


def _of_field(candidate: Candidate, problem: Mapping[str, Any], shape: type[Row]) -> Refusal:
    name = _shown(str(problem["loc"][0])) if problem["loc"] else None
    known = ", ".join(shape.model_fields)
    text = f"unknown field; known are {known}" if problem["type"] == "extra_forbidden" else in_words(problem)
    value = problem["input"] if name and isinstance(problem["input"], str | int | float) else None
    return _refusal(candidate, name, value, Code.VALIDATION_ERROR, text)


def _unfit(candidate: Candidate, row: Row, problem: Unfit) -> Refusal:
    return _refusal(candidate, problem.field, getattr(row, problem.field), code_of(problem), problem.reason)


def _refusal(candidate: Candidate, name: str | None, value: object, code: Code, error: str) -> Refusal:
    identity = candidate.says.get("id") if isinstance(candidate.says, Mapping) else None
    return Refusal(
        row=candidate.row,
        line=candidate.line,
        id=_shown(identity) if isinstance(identity, str) else None,
        field=name,
        value=None if value is None else _shown(str(value), of=name),
        code=code,
        error=error,
    )


def _shown(text: str, of: str | None = None) -> str:
    printable = "".join(one if one.isprintable() else "?" for one in text[:MOST_SHOWN])
    return mask(printable) if of == _PHONE else mask_in_text(printable)
