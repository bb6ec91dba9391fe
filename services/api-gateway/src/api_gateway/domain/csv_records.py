"""Read a CSV as it comes in: a chunk of bytes at a time, never more in memory than a few lines.

A record that cannot be read is one bad record: the next line begins the next one, also after a quote nobody closed.
"""

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from api_gateway.domain.refusals import Code, Problem, Refused, invalid

LONGEST_LINE = 64 * 1024
MOST_LINES = 100
"""Of one record, its quoted cells may have lines of their own; a quote that is open longer was never closed."""
MOST_NEVER_CLOSED = 100
"""In a file with more such quotes each line is looked at by itself, or looking for their ends would never end."""
DELIMITERS = ",;"
NEVER_CLOSED = "a quote that is never closed; write a quote inside a cell twice"
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Record:
    """The cells of one record, or why there are none; `line` is where it begins in the file, from 1."""

    line: int
    cells: Sequence[str] = ()
    error: str | None = None


@dataclass
class CsvRecords:
    """Give it every chunk, then `end` it. Blank lines are no records."""

    delimiter: str | None = None
    _rest: bytes = b""
    _number: int = 0
    _overlong: bool = False
    _open: list[tuple[int, str]] = field(default_factory=list)
    _never_closed: int = 0

    def feed(self, chunk: bytes) -> list[Record]:
        *lines, rest = (self._rest + chunk).split(b"\n")
        found = [record for line in lines for record in self._take(line + b"\n")]
        if len(rest) > LONGEST_LINE:
            self._overlong, rest = True, b""
        self._rest = rest
        return found

    def end(self) -> list[Record]:
        found = list(self._take(self._rest)) if self._rest or self._overlong else []
        while self._open:
            (first, _), *others = self._open
            self._open = []
            found.append(Record(first, error=NEVER_CLOSED))
            found += self._parse(others)
        return found

    def _take(self, line: bytes) -> Iterator[Record]:
        self._number += 1
        if self._overlong or len(line) > LONGEST_LINE:
            self._overlong = False
            yield Record(self._number, error=f"longer than {LONGEST_LINE // 1024} KB")
            return
        text = line.removeprefix(_BOM if self._number == 1 else b"").decode("utf-8", "surrogateescape")
        if self.delimiter is None and text.strip():
            self.delimiter = max(DELIMITERS, key=text.count)
        yield from self._parse([(self._number, text)])

    def _parse(self, numbered: Iterable[tuple[int, str]]) -> Iterator[Record]:
        waiting = deque(numbered)
        while waiting:
            self._open.append(waiting.popleft())
            cells, error = _cells([text for _, text in self._open], self.delimiter or DELIMITERS[0])
            most = MOST_LINES if self._never_closed < MOST_NEVER_CLOSED else 1
            if cells is None and error is None and len(self._open) < most:
                continue
            (first, _), *others = self._open
            self._open = []
            if cells is None:
                self._never_closed += error is None
                yield Record(first, error=error or NEVER_CLOSED)
                waiting.extendleft(reversed(others))
            elif any(cell.strip() for cell in cells):
                yield Record(first, cells, _unfit(cells))


def columns(header: Record, known: Sequence[str], *, needed: str = "id", others: bool = False) -> list[str]:
    """The field of each column, whatever way its name is written; raises `Refused` naming the ones nobody knows. With
    `others` these are fields, too, as they are written, if they are names.
    """
    if header.error is not None:
        raise invalid("header", header.error)
    names = [cell.strip() for cell in header.cells]
    while names and not names[-1]:
        names.pop()
    fields = {_bare(name): name for name in known}
    if others:
        fields = {_bare(name): name for name in names if name.isascii() and name.isidentifier()} | fields
    advice = (
        "no name; write it with letters, digits and _" if others else f"unknown column; known are {', '.join(known)}"
    )
    problems = [Problem(ascii(name[:40])[1:-1] or "header", advice) for name in names if _bare(name) not in fields]
    if problems:
        text = "; ".join(f"{one.field}: {one.error}" for one in problems[:3])
        raise Refused(Code.VALIDATION_ERROR, f"header: {text}", problems[:10])
    found = [fields[_bare(name)] for name in names]
    twice = next((name for name in found if found.count(name) > 1), None)
    if twice is not None:
        raise invalid(twice, "stands twice in the header")
    if needed not in found:
        raise invalid(needed, f"needed: the first line names the columns, and {needed} is one of them")
    return found


def values(record: Record, fields: Sequence[str]) -> dict[str, str] | str:
    """What a record says by field, or why it does not fit the header; an empty cell says nothing."""
    cells = [cell.strip() for cell in record.cells]
    if len(cells) < len(fields) or any(cells[len(fields) :]):
        return f"{len(cells)} cells where the header has {len(fields)} columns"
    return {name: cell for name, cell in zip(fields, cells, strict=False) if cell}


def _cells(lines: Sequence[str], delimiter: str) -> tuple[Sequence[str] | None, str | None]:
    """The cells of one record; neither cells nor an error while a quote is still open."""
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error as error:
        if "unexpected end of data" in str(error):
            return None, None
        return None, f"not CSV: {error}"
    return (rows[0] if rows else []), None


def _unfit(cells: Sequence[str]) -> str | None:
    text = "".join(cells)
    if any("\udc80" <= character <= "\udcff" for character in text):
        return "not UTF-8; save the file as CSV UTF-8"
    return "a NUL byte; save the file as CSV UTF-8" if "\0" in text else None


def _bare(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())
