"""What MongoDB did for something: the server counts it, so a slow machine counts the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pymongo.database import Database

Document = dict[str, Any]
PROFILE = "system.profile"
ROOM = 64 * 1024 * 1024


@contextmanager
def profiled(database: Database[Document], *collections: str, by: str, **only: Any) -> Iterator[list[Document]]:
    """The operations of one service on these collections, or `only` those like this; the list is filled on leaving."""
    found: list[Document] = []
    database.create_collection(PROFILE, capped=True, size=ROOM)
    named = [f"{database.name}.{collection}" for collection in collections]
    database.command("profile", 1, filter={"ns": {"$in": named}, "appName": by, **only})
    try:
        yield found
    finally:
        database.command("profile", 0, filter="unset")
        found += database[PROFILE].find()
        database[PROFILE].drop()  # the next test may look through everything the database holds


def of(operations: list[Document], collection: str, *kinds: str) -> list[Document]:
    """Those on one collection, of any kind or of these: `insert`, `update`, `query`, `getmore`, `command`."""
    found = [one for one in operations if one["ns"].endswith(f".{collection}")]
    return [one for one in found if one["op"] in kinds] if kinds else found


def documents_examined(operations: list[Document]) -> int:
    """How often the server went to a document, and not only to an index."""
    return sum(one.get("docsExamined", 0) for one in operations)


def update_commands(database: Database[Document]) -> int:
    """How many the server was ever sent, each of which may hold many updates; the profile knows only those."""
    return int(database.command("serverStatus")["metrics"]["commands"]["update"]["total"])
