"""Many rows put into a collection by a test."""

from collections.abc import Sequence
from typing import Any

from common.mongo.connection import Mongo

AT_ONCE = 5_000


async def store(mongo: Mongo, collection: str, rows: Sequence[Any]) -> None:
    """In pieces, each of which a busy machine stores well within the time a call may take."""
    for at in range(0, len(rows), AT_ONCE):
        await mongo[collection].insert_many(rows[at : at + AT_ONCE], ordered=False)
