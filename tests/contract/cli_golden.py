"""What `kabar` says, at a wide and a narrow terminal, written down in golden_cli/ to be read by people.

`python -m tests.contract.cli_golden` writes the files anew; look at what changed before it is committed.
"""

import io
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from typer.main import get_command

from kabar_cli.commands.importing import refusals_table
from kabar_cli.findings import findings
from kabar_cli.program import app
from kabar_cli.views.deliveries import deliveries_table, delivery_story
from kabar_cli.views.overview import overview
from kabar_cli.views.runs import jobs_table, lines_table
from kabar_client import Alert, Delivery, Job, JobRun, Queue, RowRefused, Sender

FOLDER = Path(__file__).parent / "golden_cli"
WIDTHS = {"wide": 100, "narrow": 60}
NOW = datetime(2025, 11, 15, 8, 30, tzinfo=timezone(timedelta(hours=7)))


def said() -> dict[str, str]:
    """Each file's name and its text."""
    texts = {}
    for name, width in WIDTHS.items():
        texts[f"help.{name}.txt"] = "\n".join(help_texts(width))
        for view, shown in views().items():
            texts[f"{view}.{name}.txt"] = printed(shown, width)
    return texts


def help_texts(width: int) -> Iterator[str]:
    """Of every command, the program itself first."""
    program = get_command(app)
    yield helped(program, "kabar", width)
    for name, command in program.commands.items():  # type: ignore[attr-defined]  # a group has them
        below = getattr(command, "commands", {})
        for part, one in below.items():
            yield helped(one, f"kabar {name} {part}", width)
        if not below:
            yield helped(command, f"kabar {name}", width)


def helped(command: Any, name: str, width: int) -> str:
    context = typer.Context(command, info_name=name, terminal_width=width, help_option_names=["-h", "--help"])
    return f"$ {name} --help\n{command.get_help(context)}\n"


def printed(shown: RenderableType, width: int) -> str:
    file = io.StringIO()
    Console(file=file, width=width, markup=False, highlight=False, emoji=False).print(shown)
    return "".join(f"{line.rstrip()}\n" for line in file.getvalue().splitlines())


def views() -> dict[str, RenderableType]:
    senders, queue = SENDERS, QUEUE
    return {
        "monitor": overview(senders, queue, findings(senders, queue, ALERTS, NOW), NOW),
        "deliveries": deliveries_table([DELIVERY, FAILED], NOW),
        "delivery": delivery_story(DELIVERY, NOW),
        "jobs": jobs_table(JOBS, NOW),
        "dunning": lines_table(RUN),
        "refusals": refusals_table(REFUSALS),
    }


def moment(clock: str) -> str:
    return f"2025-11-15T{clock}+07:00"


def usage(used: int) -> dict[str, Any]:
    return {
        "minute": {"limit": 10, "used": min(used, 6), "reset_at": moment("08:30:40")},
        "hour": {"limit": 100, "used": min(used, 100), "reset_at": moment("08:41:00")},
        "day": {"limit": 500, "used": used, "reset_at": None},
    }


CLOSED = {"state": "closed", "reason": None, "opened_at": None, "retry_at": None}
SENDERS = [
    Sender.model_validate(one)
    for one in (
        {
            "id": "fonnte-1", "provider": "fonnte", "status": "available", "why": None, "circuit": CLOSED,
            "quota": {"remaining": 880, "total": 10_000, "at": moment("08:15:00")},
            "device": {"connected": True}, "usage": usage(123),
        },
        {
            "id": "wablas-1", "provider": "wablas", "status": "out",
            "why": "its circuit is open: device disconnected; tried again at 08:31:10",
            "circuit": {**CLOSED, "state": "open"}, "quota": {"remaining": None, "at": None},
            "device": {"connected": False}, "usage": usage(0),
        },
        {
            "id": "wablas-2", "provider": "wablas", "status": "paused", "why": "paused by sari", "circuit": CLOSED,
            "quota": {"remaining": None, "at": None}, "usage": usage(0), "gateway_alive": False,
        },
    )
]  # fmt: skip
QUEUE = Queue.model_validate(
    {
        "queue_length": 1_204, "is_processing": True, "failed_messages": 7, "estimated_time": 12_040,
        "estimated_finish": moment("11:50:40"), "sending": 1, "waiting_for_retry": 3, "oldest_seconds": 740,
        "by_priority": {"critical": 0, "high": 2, "normal": 1_100, "low": 99}, "next_messages": [],
    }
)  # fmt: skip
ALERTS = [
    Alert(
        id="alr_1", cause=f"{kind}:{about}", kind=kind, about=about, status="active", summary=summary, raised_at=NOW
    )
    for kind, about, summary in (
        ("quota", "fonnte-1", "fonnte-1: 880 messages are left of its quota of 10000"),
        ("device", "wablas-1", "the device of wablas-1 is disconnected"),
        ("job", "sla-monitor", "sla-monitor has not run since 08:00"),
    )
]  # fmt: skip
DELIVERY = Delivery.model_validate(
    {
        "id": "dlv_019a8b7c6d5e0123456789abcdef-0123456789abcdef", "type": "payment_reminder", "channel": "whatsapp",
        "notification_id": "ntf_019a8b7c6d5e0123456789abcdef", "template": "payment_reminder:2",
        "recipient": "6281******004", "status": "sent", "priority": "normal", "failover": True,
        "possible_duplicate": False, "created_at": moment("08:00:00"), "sent_at": moment("08:00:01.5"),
        "attempts": [
            {
                "number": 1, "provider": "fonnte", "sender": "fonnte-1", "outcome": "failed", "code": "transport",
                "error": "HTTP 503 Service Unavailable with a body that is not JSON",
                "started_at": moment("08:00:00.2"), "finished_at": moment("08:00:01.2"), "provider_message_id": None,
            },
            {
                "number": 2, "provider": "wablas", "sender": "wablas-1", "outcome": "succeeded", "error": None,
                "started_at": moment("08:00:01.25"), "finished_at": moment("08:00:01.5"),
                "provider_message_id": "a1b2c3",
            },
        ],
        "timeline": [
            {"at": moment("08:00:00"), "status": "queued", "cause": "planned"},
            {"at": moment("08:00:00.1"), "status": "sending", "cause": "to fonnte-1"},
            {"at": moment("08:00:01.2"), "status": "queued", "cause": "fonnte-1: HTTP 503 Service Unavailable"},
            {"at": moment("08:00:01.21"), "status": "sending", "cause": "to wablas-1"},
            {"at": moment("08:00:01.5"), "status": "sent", "cause": "wablas took it"},
        ],
    }
)  # fmt: skip
FAILED = DELIVERY.model_copy(
    update={"status": "failed", "reason": "wablas-1: HTTP 502 Bad Gateway", "code": "RETRY_FAILED", "sent_at": None}
)
RUN = JobRun.model_validate(
    {
        "id": "run_1", "job": "dunning", "status": "done", "trigger": "schedule", "found": 60, "dispatched": 43,
        "finished_at": moment("08:00:04"), "skipped": {"paid": 14, "without_a_number": 3}, "errors": [],
        "lines": [
            {"name": "T-7", "found": 30, "dispatched": 25, "skipped": {"paid": 5}},
            {"name": "T-3", "found": 20, "dispatched": 12, "skipped": {"paid": 5, "without_a_number": 3}},
            {"name": "T-1", "found": 8, "dispatched": 4, "skipped": {"paid": 4}},
            {"name": "T+3", "found": 2, "dispatched": 2, "skipped": {}},
        ],
    }
)  # fmt: skip
JOBS = [
    Job.model_validate(one)
    for one in (
        {"name": "dunning", "schedule": "0 8 * * *", "next_run": "2025-11-16T08:00:00+07:00", "last_run": RUN},
        {"name": "sla-monitor", "schedule": "*/15 * * * *", "next_run": moment("08:15:00"), "overdue": True},
        {
            "name": "daily-summary", "schedule": "0 18 * * *", "next_run": moment("18:00:00"),
            "last_run": {
                "id": "run_2", "job": "daily-summary", "status": "failed", "finished_at": "2025-11-14T18:00:02+07:00",
                "errors": ["the database does not answer"],
            },
        },
    )
]  # fmt: skip
REFUSALS = [
    RowRefused(row=2, line=3, id=None, field="id", value=None, code="VALIDATION_ERROR", error="must be given"),
    RowRefused(
        row=3, line=4, id="C-3", field="phone", value="1234**678", code="INVALID_PHONE",
        error="not an Indonesian mobile number; it must look like 6281200000001 (628, then 8 to 11 digits)",
    ),
]  # fmt: skip


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    texts = said()
    for stale in FOLDER.glob("*.txt"):
        if stale.name not in texts:
            stale.unlink()
    for name, text in texts.items():
        (FOLDER / name).write_text(text, "utf-8")


if __name__ == "__main__":
    write()
