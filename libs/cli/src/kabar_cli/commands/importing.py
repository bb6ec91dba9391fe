"""`kabar import`: rows of the directory from a file."""

import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, TextColumn, TimeRemainingColumn

from kabar_cli.exits import Exit
from kabar_cli.options import DryRun, Json, Key
from kabar_cli.screen import Screen
from kabar_cli.session import connected, fresh_key
from kabar_cli.tables import Rows
from kabar_client import RowRefused, Told
from kabar_client.requests import Sent

SHOWN = 20
COLUMNS = ("line", "id", "field", "value", "code", "error")


class Kind(StrEnum):
    CUSTOMERS = "customers"
    INVOICES = "invoices"
    TICKETS = "tickets"
    TECHNICIANS = "technicians"
    STAFF = "staff"
    PACKAGES = "packages"


def import_rows(
    kind: Annotated[Kind, typer.Argument(metavar="KIND")],
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", exists=True, dir_okay=False, readable=True)],
    dry_run: DryRun = False,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.csv", dir_okay=False, help="Write why rows are refused there, as CSV."),
    ] = None,
    key: Key = None,
    json: Json = False,
) -> None:
    """Tell Kabar of customers, invoices, … from a CSV file.

    Its first line names the columns, `id` among them. A bad row is left out alone and told of; the others are kept.
    The same file again changes nothing. Exit code 1 when a row was refused.
    """
    if report is not None:
        _check_writable(report)
    with connected(json=json) as session:
        idempotency_key = fresh_key(key)
        with session.once(idempotency_key), _bar(session.screen, file) as sent:
            told = session.kabar.put_csv(kind.value, file, dry_run=dry_run, sent=sent, idempotency_key=idempotency_key)
        session.screen.answer(told)
        if report is not None:
            _write(report, told.refusals)
        _show(session.screen, told, report)
        raise typer.Exit(Exit.FAILED if told.refused else Exit.DONE)


@contextmanager
def _bar(screen: Screen, file: Path) -> Iterator[Sent]:
    """Kabar reads no faster than it keeps what it read, so what it has read is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with screen.progress(*columns) as progress:
        task = progress.add_task(file.name, total=file.stat().st_size)

        def sent(size: int) -> None:
            progress.advance(task, size) if size else progress.reset(task)

        yield sent


def _show(screen: Screen, told: Told, report: Path | None) -> None:
    dry = "Dry run, nothing is kept: " if told.dry_run else ""
    screen.say(
        f"{dry}{told.read:,} rows read: {told.new:,} new, {told.changed:,} changed, {told.unchanged:,} unchanged, "
        f"{told.refused:,} refused."
    )
    if told.refusals:
        screen.say()
        screen.show(refusals_table(told.refusals[:SHOWN]))
    if report is not None:
        first = f"the first {len(told.refusals):,} of them" if told.refused > len(told.refusals) else "all of them"
        screen.note(f"{report} holds {first}.")
    elif told.refused > SHOWN:
        screen.say(f"and {told.refused - SHOWN:,} more; --report FILE.csv writes down up to 1,000 of them.")


def refusals_table(refusals: Iterable[RowRefused]) -> Rows:
    """Where each row stands and what is wrong with it."""
    return Rows(COLUMNS, [_row(one) for one in refusals])


def _check_writable(report: Path) -> None:
    """Before anything is told: afterwards it would be too late."""
    try:
        report.open("a").close()
    except OSError as error:
        raise typer.BadParameter(f"{report} cannot be written: {error.strerror}", param_hint="--report") from error


def _write(report: Path, refusals: Iterable[RowRefused]) -> None:
    with report.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        writer.writerows(_row(one) for one in refusals)


def _row(one: RowRefused) -> tuple[object, ...]:
    return one.line, one.id, one.field, one.value, one.code, one.error
