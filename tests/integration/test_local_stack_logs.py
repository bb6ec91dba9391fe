"""What `make logs` shows of several processes' files."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from local_stack.logs import follow


def write(path: Path, *events: dict[str, object]) -> None:
    with path.open("a") as file:
        file.writelines(json.dumps(event) + "\n" for event in events)


def event(second: int, name: str, **fields: object) -> dict[str, object]:
    return {**fields, "event": name, "level": "info", "timestamp": f"2026-11-21T06:00:{second:02}Z", "service": "any"}


def told(lines: Iterator[str], count: int) -> list[str]:
    """The process and what follows of so many lines."""
    return [" ".join(line.split()[2:]) for line in islice(lines, count)]


def test_several_logs_are_one_in_the_order_of_time_and_new_lines_follow(tmp_path: Path) -> None:
    one, two = tmp_path / "dispatcher-1.log", tmp_path / "scheduler-1.log"
    write(one, event(1, "first"), event(4, "fourth", seconds=0.5, reason="no answer", retried=False))
    write(two, event(2, "second"), event(3, "third"))
    lines = follow([one, two])
    assert told(lines, 4) == [
        "dispatcher-1 first",
        "scheduler-1 second",
        "scheduler-1 third",
        'dispatcher-1 fourth seconds=0.5 reason="no answer" retried=false',
    ]
    write(two, event(5, "fifth"))
    assert told(lines, 1) == ["scheduler-1 fifth"]
    one.rename(tmp_path / "dispatcher-1.log.1")
    write(one, event(6, "sixth"))
    assert told(lines, 1) == ["dispatcher-1 sixth"]


def test_a_traceback_stays_in_one_piece_and_in_its_order(tmp_path: Path) -> None:
    one, two = tmp_path / "dispatcher-1.log", tmp_path / "scheduler-1.log"
    raw = ["Traceback (most recent call last):", '  File "x.py", line 1', "    zero / 0", "  ^^^^", "An error"]
    write(one, event(2, "before"))
    with one.open("a") as file:
        file.writelines(f"{line}\n" for line in raw)
    write(one, event(3, "after"))
    write(two, event(1, "elsewhere"), event(2, "at once"))
    lines = list(islice(follow([one, two]), 9))
    assert lines[2:7] == raw
    assert [line.split()[-1] for line in (lines[0], lines[1], lines[7], lines[8])] == [
        "elsewhere",
        "before",
        "once",
        "after",
    ]


def test_a_stamp_without_a_zone_is_in_utc_and_one_that_says_nothing_belongs_to_the_event_before(tmp_path: Path) -> None:
    path = tmp_path / "dispatcher-1.log"
    stamps: list[object] = ["2026-11-21T06:00:03Z", "2026-11-21T06:00:01", "soon", 7, None]
    write(path, *({"event": str(number), "level": "info", "timestamp": stamp} for number, stamp in enumerate(stamps)))
    assert told(follow([path]), 5) == [f"dispatcher-1 {number}" for number in (1, 2, 3, 4, 0)]


def test_only_the_latest_lines_come_first_and_what_is_no_event_stays_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "dispatcher-1.log"
    write(path, *(event(1, "old", padding="x" * 100) for _ in range(1_000)))
    with path.open("a") as file:
        file.write("configuration: something\n")
    write(path, event(2, "new"))
    lines = list(islice(follow([path]), 20))
    assert lines[-2] == "configuration: something"
    assert lines[-1].endswith("new")
