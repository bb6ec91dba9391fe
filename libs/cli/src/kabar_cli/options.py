"""Options that several commands have."""

from datetime import datetime
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print the API's answer as JSON.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Key = Annotated[
    str | None,
    typer.Option("--key", metavar="KEY", help="Idempotency key: repeated under it, it is done once."),
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait for the outcome and show it.")]
WaitSeconds = Annotated[float, typer.Option("--wait-seconds", min=1, metavar="SECONDS", help="How long to wait.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Check and count everything, change nothing.")]
Day = Annotated[
    datetime | None,
    typer.Option(
        "--date", metavar="YYYY-MM-DD", formats=["%Y-%m-%d"], help="As if it were that day; today if left out."
    ),
]
Moment = datetime | None


def day_of(moment: Moment) -> str | None:
    """`2025-11-15`."""
    return None if moment is None else f"{moment:%Y-%m-%d}"
