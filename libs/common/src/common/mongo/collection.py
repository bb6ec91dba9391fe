"""A collection whose failed writes say codes and counts, and never the documents."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo.errors import BulkWriteError

from common.kernel.failures import Transient
from common.telemetry.failures import codes

Document = dict[str, Any]
DUPLICATE_KEY = 11000
PASSING = frozenset({6, 7, 24, 46, 50, 64, 89, 91, 112, 189, 262, 9001, 10107, 11600, 11601, 11602, 13435, 13436})
"""Codes of what succeeds when it is done again: timeouts, locks, conflicts, a server that ends or is not primary."""


class WriteFailed(BulkWriteError):  # noqa: N818 - failures are adjectives here
    """Some writes of a batch were refused. `details` keep each one's place, code and `_id`, and the counts."""

    def __str__(self) -> str:
        return f"writes failed with {codes(self.details)}"

    __repr__ = __str__


class WriteUnconfirmed(WriteFailed, Transient):
    """Nothing but time kept a batch from being written; the same batch succeeds later."""


class Collection(AsyncIOMotorCollection[Document]):
    """Motor's, but for what a failed batch raises."""

    async def bulk_write(self, *arguments: Any, **named: Any) -> Any:
        with _without_documents():
            return await super().bulk_write(*arguments, **named)

    async def insert_many(self, *arguments: Any, **named: Any) -> Any:
        with _without_documents():
            return await super().insert_many(*arguments, **named)


@contextmanager
def _without_documents() -> Iterator[None]:
    try:
        yield
    except BulkWriteError as error:
        raise write_failed(error.details) from None


def write_failed(details: Mapping[str, Any]) -> WriteFailed:
    """What a batch with this result raises: `WriteUnconfirmed` when no refusal is anything but a passing one."""
    refused = [
        {"index": one.get("index"), "code": one.get("code"), "op": {"_id": (one.get("op") or {}).get("_id")}}
        for one in details.get("writeErrors") or ()
    ]
    unconfirmed = [
        {"code": one.get("code"), "errInfo": {"wtimeout": bool((one.get("errInfo") or {}).get("wtimeout"))}}
        for one in details.get("writeConcernErrors") or ()
    ]
    counts = {name: value for name, value in details.items() if isinstance(value, int)}
    kept = {**counts, "writeErrors": refused, "writeConcernErrors": unconfirmed}
    others = {one["code"] for one in refused} - {DUPLICATE_KEY}
    passing = others <= PASSING and bool(others or unconfirmed)
    return WriteUnconfirmed(kept) if passing else WriteFailed(kept)
