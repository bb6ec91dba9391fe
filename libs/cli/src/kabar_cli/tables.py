"""Rows for people: side by side where they fit, one below the other where they do not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from kabar_cli.wording import harmless

GAP = 2
NOTHING = "-"
LEAST_FOR_THE_LAST = 24
"""The last column wraps, the others are shown whole; with less than this left for it, rows stand below each other."""
STYLES = {
    **dict.fromkeys(("available", "closed", "connected", "sent", "delivered", "read", "succeeded", "done"), "green"),
    **dict.fromkeys(("out", "open", "disconnected", "failed", "silent", "missed"), "red"),
    **dict.fromkeys(("paused", "half_open", "unknown", "expired", "suppressed", "cancelled", "revoked"), "yellow"),
}
"""A word's colour, wherever it stands alone."""


@dataclass(frozen=True)
class Column:
    title: str
    right: bool = False


Columns = Sequence[Column | str]


class Rows:
    """A table without lines; the first column names a row. `briefly` says each row in fewer lines than it has fields,
    for where they do not fit side by side.
    """

    def __init__(
        self, columns: Columns, rows: Sequence[Sequence[object]], *, briefly: Sequence[str] | None = None
    ) -> None:
        self._briefly = briefly
        self._columns = [one if isinstance(one, Column) else Column(one) for one in columns]
        self._rows = [[_cell(value) for value in row] for row in rows]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if self._least_width() <= options.max_width:
            yield self._side_by_side()
        else:
            yield from self._below_each_other() if self._briefly is None else map(Text, map(harmless, self._briefly))

    def _least_width(self) -> int:
        widths = [
            max([len(column.title), *(row[number].cell_len for row in self._rows)])
            for number, column in enumerate(self._columns)
        ]
        return sum(widths[:-1]) + GAP * len(widths[:-1]) + min(widths[-1], LEAST_FOR_THE_LAST)

    def _side_by_side(self) -> Table:
        made = Table(box=None, pad_edge=False, padding=(0, GAP, 0, 0), header_style="bold")
        for column in self._columns:
            last = column is self._columns[-1]
            made.add_column(
                column.title, justify="right" if column.right else "left", overflow="fold", no_wrap=not last
            )
        for row in self._rows:
            made.add_row(*row)
        return made

    def _below_each_other(self) -> Iterator[Table | Text]:
        for head, *rest in self._rows:
            yield Text(f"{self._columns[0].title} ".lstrip(), style="bold").append_text(head)
            facts = Table(box=None, show_header=False, pad_edge=False, padding=(0, GAP, 0, 0))
            facts.add_column(no_wrap=True)
            facts.add_column(overflow="fold")
            for column, value in zip(self._columns[1:], rest, strict=True):
                if value.plain != NOTHING:
                    facts.add_row(f"  {column.title}", value)
            yield facts


def _cell(value: object) -> Text:
    text = NOTHING if value is None or value == "" else harmless(str(value))
    return Text(text, style=STYLES.get(text.partition(" ")[0], ""))
