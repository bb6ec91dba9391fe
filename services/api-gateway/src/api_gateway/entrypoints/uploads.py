"""A CSV that is read while it comes in, however large: what it tells is handed on a batch at a time."""

import hashlib
from collections.abc import AsyncIterator, Callable

from fastapi import Request

from api_gateway.application.tell_directory import Candidate
from api_gateway.domain.csv_records import CsvRecords, Record, values
from api_gateway.domain.refusals import Code, Oversized, Problem, Refused, Unsupported, invalid

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 500_000
BATCH = 500
CSV = "text/csv"


Columns = Callable[[Record], list[str]]
"""The field of each column by the header; raises `Refused` for one that is none."""


class Upload:
    """The body of one request, counted and hashed while it is read. `before`: what became of the rows before those that
    are too many.
    """

    def __init__(
        self,
        request: Request,
        *,
        most_bytes: int = MOST_BYTES,
        most_rows: int = MOST_ROWS,
        before: str = "; what stood before is done",
    ) -> None:
        self._most_bytes, self._most_rows, self._before = most_bytes, most_rows, before
        told = request.headers.get("content-length", "0")
        if told.isdecimal() and (len(told) > 10 or int(told) > most_bytes):
            raise _oversized(_megabytes(most_bytes), "")
        self._chunks = self._counted(request)
        self._hash = hashlib.sha256()
        self._size = 0

    async def candidates(self, columns: Columns) -> AsyncIterator[list[Candidate]]:
        """The rows; raises `Refused` for a header that is none, `Oversized` where there is more than is taken."""
        fields: list[str] | None = None
        batch: list[Candidate] = []
        number = 0
        async for records in self._records():
            for record in records:
                if fields is None:
                    fields = await self._columns(record, columns)
                    continue
                number += 1
                if number > self._most_rows:
                    raise _oversized(f"{self._most_rows:,} rows", self._before)
                batch.append(_candidate(number, record, fields))
                if len(batch) == BATCH:
                    yield batch
                    batch = []
        if fields is None:
            raise invalid("body", "is empty; its first line names the columns")
        if batch:
            yield batch

    async def digest(self) -> str:
        """Of everything there is, read to its end."""
        async for _ in self._chunks:
            pass
        return self._hash.hexdigest()

    async def _records(self) -> AsyncIterator[list[Record]]:
        reader = CsvRecords()
        async for chunk in self._chunks:
            yield reader.feed(chunk)
        yield reader.end()

    async def _columns(self, header: Record, columns: Columns) -> list[str]:
        try:
            return columns(header)
        except Refused:
            await self.digest()  # who is still sending would not hear the answer
            raise

    async def _counted(self, request: Request) -> AsyncIterator[bytes]:
        async for chunk in request.stream():
            self._size += len(chunk)
            if self._size > self._most_bytes:
                raise _oversized(_megabytes(self._most_bytes), self._before)
            self._hash.update(chunk)
            yield chunk


def is_csv(request: Request) -> bool:
    """Raises `Unsupported` for one in another encoding than UTF-8."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    if media_type.strip().lower() != CSV:
        return False
    charset = parameters.partition("charset=")[2].partition(";")[0].strip(' "').lower()
    if charset not in {"", "utf-8", "utf8", "us-ascii"}:
        raise Unsupported(
            Code.UNSUPPORTED_MEDIA_TYPE, f"charset is {charset[:40]!r}; send CSV in UTF-8",
            [Problem("Content-Type", "send CSV in UTF-8")],
        )  # fmt: skip
    return True


def _candidate(number: int, record: Record, fields: list[str]) -> Candidate:
    says = record.error or values(record, fields)
    if isinstance(says, str):
        return Candidate(number, line=record.line, unreadable=says)
    return Candidate(number, says, record.line)


def _megabytes(size: int) -> str:
    return f"{size // 1024 // 1024} MB"


def _oversized(limit: str, done: str) -> Oversized:
    return Oversized(
        Code.PAYLOAD_TOO_LARGE, f"body: more than {limit}{done}; split the file", [Problem("body", "split the file")]
    )
