"""Fetch the rows a notification speaks of."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api_gateway.application.catalogue_ports import Directory, Stored
from api_gateway.domain.refusals import Unknown, unknown
from api_gateway.domain.submission import field_of
from common.catalogue.definitions import ROW_KINDS
from common.contracts.tellings import OURS

NAMED = {
    "ticket_id": "ticket",
    "invoice_id": "invoice",
    "customer_id": "customer",
    "technician_id": "technician",
    "upgrade_package_id": "package",
}
"""Fields of a type's data that name a row, and which one."""
DERIVED = (
    ("customer", "ticket", "customer_id"),
    ("customer", "invoice", "customer_id"),
    ("technician", "ticket", "technician_id"),
    ("package", "customer", "package_id"),
)
"""Rows named by a field of another row."""
AT_ONCE = 1_000


@dataclass
class Rows:
    """What is known of what one set of data speaks of. `absent`: rows that are named but not known, each with the field
    of the data that led there and its identity.
    """

    found: dict[str, Stored] = field(default_factory=dict)
    absent: dict[str, tuple[str, str]] = field(default_factory=dict)
    through: dict[str, str] = field(default_factory=dict)
    """The field of the data that led to each row."""

    def demand(self, row: str, prefix: str) -> Stored:
        """The row; raises `Unknown` saying why there is none."""
        if row in self.found:
            return self.found[row]
        if row in self.absent:
            raise not_known(row, *self.absent[row], prefix)
        through, source = next(((self.through[of], of) for at, of, _ in DERIVED if at == row and of in self.found),
                               (f"{row}_id", row))  # fmt: skip
        raise unknown(field_of(prefix, through), f"the {source} names no {row}")

    def demand_named(self, prefix: str) -> None:
        """Raise `Unknown` for a row the data itself names."""
        for row, (through, identity) in self.absent.items():
            if NAMED[through] == row:
                raise not_known(row, through, identity, prefix)


def not_known(row: str, through: str, identity: str, prefix: str) -> Unknown:
    return unknown(field_of(prefix, through), f"no {row} {identity} is known", row=row, identity=identity)


async def gather_rows(directory: Directory, asked: Sequence[Mapping[str, Any]], wanted: Sequence[str]) -> list[Rows]:
    """For each set of data the rows it names, and those of `wanted` that these name in turn."""
    gathered = [Rows() for _ in asked]
    named = [
        (rows, row, name, str(data[name]))
        for rows, data in zip(gathered, asked, strict=True)
        for name, row in NAMED.items()
        if name in data
    ]
    await _fetch(directory, named)
    for row, source, name in DERIVED:
        if row not in wanted:
            continue
        await _fetch(
            directory,
            [
                (rows, row, rows.through[source], str(rows.found[source][name]))
                for rows in gathered
                if row not in rows.found and row not in rows.absent and rows.found.get(source, {}).get(name)
            ],
        )
    return gathered


async def _fetch(directory: Directory, asked: Sequence[tuple[Rows, str, str, str]]) -> None:
    identities: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for _, row, _, identity in asked:
        identities[row][identity] = None
    known: dict[tuple[str, str], Stored] = {}
    for row, wanted in identities.items():
        listed = list(wanted)
        for at in range(0, len(listed), AT_ONCE):
            found = await directory.many(ROW_KINDS[row], listed[at : at + AT_ONCE])
            known |= {(row, identity): one for identity, one in found.items()}
    for rows, row, through, identity in asked:
        if (row, identity) in known:
            rows.found[row] = known[row, identity]
            rows.through[row] = through
        else:
            rows.absent[row] = (through, identity)


def shown(row: Stored) -> dict[str, object]:
    """A row as a template sees it: `id` and its fields, moments in ISO 8601; what is not known is absent."""
    fields = {name: _plain(value) for name, value in row.items() if name not in OURS and value is not None}
    return {"id": row["_id"], **fields}


def context(data: Mapping[str, Any], rows: Rows, wanted: Sequence[str]) -> dict[str, Any]:
    """What a template is rendered with."""
    return {**data, **{name: shown(rows.found[name]) for name in wanted if name in rows.found}}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
