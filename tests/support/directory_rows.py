"""Rows of the directory put into the database as if other services had told them."""

from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from common.catalogue.definitions import ROW_KINDS
from common.catalogue.examples import EXAMPLE_ROWS

Document = dict[str, Any]


def stored_row(row: Document) -> Document:
    """A row as the directory keeps it."""
    fields = {name: value for name, value in row.items() if name != "id"}
    return {"_id": row["id"], **fields, "told": {}, "changed_at": datetime.now(UTC)}


def tell(rows: Database[Document], kind: str, *told: Document) -> None:
    """Put rows of one kind (`customers`) there, or in the place of those with the same ids."""
    for row in told:
        rows[kind].replace_one({"_id": row["id"]}, stored_row(row), upsert=True)


def tell_examples(rows: Database[Document]) -> None:
    """The catalogue's example rows, and one more member of the staff for every role."""
    for name, row in EXAMPLE_ROWS.items():
        tell(rows, ROW_KINDS[name], row)
    for number, role in enumerate(("admin", "manager", "supervisor", "noc", "cs"), start=11):
        tell(rows, "staff", staff(f"S-{role}", role, f"62812000000{number}"))


def staff(identity: str, role: str, phone: str | None) -> Document:
    row = {"id": identity, "name": f"Nama {role}", "role": role, "status": "active"}
    return row if phone is None else {**row, "phone": phone}
