"""What `kabar monitor` shows."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from kabar_cli.findings import Finding
from kabar_cli.views.senders import dead_line, queue_line, queue_table, senders_table
from kabar_cli.wording import harmless
from kabar_client import Queue, Sender


def overview(senders: list[Sender], queue: Queue, wrong: Sequence[Finding], now: datetime) -> RenderableType:
    """Senders, queue, dead deliveries, and what is wrong, last because it is read first."""
    found = [Text(harmless(f"wrong: {one.said}"), style="red") for one in wrong]
    waiting: list[RenderableType] = [queue_table(queue), ""] if queue.queue_length else []
    return Group(
        senders_table(senders),
        "",
        Text(queue_line(queue, now)),
        *waiting,
        Text(dead_line(queue)),
        "",
        *(found or [Text("Nothing is wrong.", style="green")]),
    )
