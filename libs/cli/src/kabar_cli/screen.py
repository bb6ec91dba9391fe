"""Where a command's words go: what was asked for to stdout, everything else to stderr."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from kabar_cli.exits import Exit
from kabar_cli.wording import harmless
from kabar_client.answers import Answer


@dataclass(frozen=True)
class Screen:
    """For people, or with `json` for a script: then nothing but one document goes to stdout."""

    json: bool = False
    out: Console = field(default_factory=lambda: _console(stderr=False))
    err: Console = field(default_factory=lambda: _console(stderr=True))

    def now(self) -> datetime:
        """Here, where the operator sits."""
        return datetime.now().astimezone()

    def say(self, text: str = "", *, style: str | None = None) -> None:
        """A line of what was asked for; nothing where a script listens."""
        if not self.json:
            self.out.print(Text(harmless(text), style=style or ""), soft_wrap=True)

    def show(self, what: RenderableType) -> None:
        if not self.json:
            self.out.print(what)

    def note(self, text: str) -> None:
        """A line beside what was asked for."""
        self.err.print(Text(harmless(text)), soft_wrap=True)

    def answer(self, answer: Any, *, compact: bool = False) -> None:
        """What a script reads: the API's own shape."""
        if self.json:
            text = json.dumps(plain(answer), ensure_ascii=False, indent=None if compact else 2)
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only when a person agrees or has agreed with --yes; raises `typer.Exit`."""
        if yes:
            return
        self.err.print(Text(f"{question} [y/N] "), end="", soft_wrap=True)
        answer = sys.stdin.readline()
        if not answer:
            self.note("\nnobody is here to answer; --yes goes on without asking")
            raise typer.Exit(Exit.USAGE)
        if answer.strip().lower() not in {"y", "yes", "ya"}:
            self.note("Nothing was done.")
            raise typer.Exit(Exit.FAILED)

    @contextmanager
    def progress(self, *columns: ProgressColumn) -> Iterator[Progress]:
        """A bar on a terminal; nothing elsewhere."""
        shown = columns or (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*shown, console=self.err, transient=True, disable=not self.err.is_terminal) as progress:
            yield progress


def plain(answer: Any) -> Any:
    """As JSON has it; of an answer exactly the fields the API gave."""
    match answer:
        case Answer():
            return answer.model_dump(mode="json", exclude_unset=True)
        case dict():
            return {name: plain(value) for name, value in answer.items()}
        case list() | tuple():
            return [plain(one) for one in answer]
    return answer


def _console(*, stderr: bool) -> Console:
    """Outside a terminal a line is as long as it is, so that nothing is cut or wrapped on its way to a file."""
    file = sys.stderr if stderr else sys.stdout
    told = os.environ.get("COLUMNS", "")
    width = None if file.isatty() else int(told) if told.isdecimal() else 1_000
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)
