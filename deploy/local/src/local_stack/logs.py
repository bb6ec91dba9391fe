"""Follows the logs of several processes as one: merged by time, a readable line for each event."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_LAST_LINES = 20
_LAST_BYTES = 20_000
_LOOK_EVERY_SECONDS = 0.2
_TOLD_APART = {"timestamp", "at", "level", "event", "service", "instance"}


@dataclass(frozen=True)
class Entry:
    """One event of one process; what does not say when it happened belongs to the event before."""

    moment: datetime
    text: str


class Follower:
    """Reads what one process writes to `path`, also when the file is replaced by a fresh one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._file_number = 0
        self._moment = datetime.now(UTC)

    def last(self) -> list[Entry]:
        """The latest events; from here on `fresh` goes on."""
        size = self._path.stat().st_size
        self._file_number = self._path.stat().st_ino
        self._offset = max(size - _LAST_BYTES, 0)
        cut = self._offset > 0
        lines = self._lines()
        return self._entries(lines[1:] if cut else lines)[-_LAST_LINES:]

    def fresh(self) -> list[Entry]:
        """What was written since the last call."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return []  # between the old file's end and the new one's beginning
        if status.st_ino != self._file_number or status.st_size < self._offset:
            self._file_number, self._offset = status.st_ino, 0
        return self._entries(self._lines()) if status.st_size > self._offset else []

    def _lines(self) -> list[bytes]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            # A line that is being written is read when it is whole.
            whole = file.read().rpartition(b"\n")[0]
        self._offset += len(whole) + 1 if whole else 0
        return whole.split(b"\n") if whole else []

    def _entries(self, lines: Iterable[bytes]) -> list[Entry]:
        return [self._entry(line.decode(errors="replace")) for line in lines if line.strip()]

    def _entry(self, line: str) -> Entry:
        event = _event(line)
        self._moment = _moment(event.get("timestamp") or event.get("at")) or self._moment
        return Entry(self._moment, readable(self._path.stem, self._moment, event) if event else line)


def follow(paths: Sequence[Path]) -> Iterator[str]:
    """The latest lines, and then each new one as it comes, for ever."""
    followers = [Follower(path) for path in paths]
    entries = [entry for follower in followers for entry in follower.last()]
    while True:
        # By the moment alone: the lines of a traceback share theirs and stay as they were written.
        yield from (entry.text for entry in sorted(entries, key=lambda entry: entry.moment))
        time.sleep(_LOOK_EVERY_SECONDS)
        entries = [entry for follower in followers for entry in follower.fresh()]


def readable(process: str, moment: datetime, event: dict[str, Any]) -> str:
    """`06:27:49 info     dispatcher-1         attempt.succeeded delivery_id=… seconds=0.2`."""
    said = [f"{name}={_plain(value)}" for name, value in event.items() if name not in _TOLD_APART]
    head = f"{moment.astimezone():%H:%M:%S} {event.get('level', ''):<8} {process:<18}"
    return " ".join([head, str(event.get("event", "")), *said])


def _plain(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return json.dumps(text, ensure_ascii=False) if isinstance(value, str) and (" " in text or not text) else text


def _moment(stamp: object) -> datetime | None:
    """What a stamp says; one that names no zone is in UTC, as all of ours are. None when it says nothing."""
    try:
        moment = datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _event(line: str) -> dict[str, Any]:
    """The fields of a service's line; none when it is no service's."""
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) and "event" in event else {}
