"""`kabar dunning`: remind customers of their invoices."""

from typing import Annotated

import typer

from kabar_cli.commands.schedule import RUN_SECONDS, conclude, run_now
from kabar_cli.follow import finished
from kabar_cli.options import Day, DryRun, Json, Key, Yes, day_of
from kabar_cli.session import connected
from kabar_cli.views.runs import lines_table
from kabar_cli.wording import counted

app = typer.Typer(name="dunning", help="Remind customers of their invoices.", no_args_is_help=True)
JOB = "dunning"


@app.callback()
def group() -> None:
    """Remind customers of their invoices."""


@app.command()
def run(
    date: Day = None,
    dry_run: DryRun = False,
    seconds: Annotated[float, typer.Option("--wait-seconds", min=1, metavar="SECONDS")] = RUN_SECONDS,
    key: Key = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Run the dunning now and show what each stage did.

    Before anything is sent a dry run shows what would be, and you are asked. Whoever was reminded today is not again.
    """
    day = day_of(date)
    with connected(json=json) as session:
        if not dry_run and not yes:
            rehearsed = finished(session, JOB, run_now(session, JOB, day, None, dry_run=True), seconds)
            if rehearsed.status != "done":
                raise typer.Exit(conclude(session, rehearsed))
            session.screen.err.print(lines_table(rehearsed))
            session.screen.confirm(f"Send {counted(rehearsed.dispatched, 'reminder')}?", yes=False)
        run_id = run_now(session, JOB, day, key, dry_run=dry_run)
        raise typer.Exit(conclude(session, finished(session, JOB, run_id, seconds)))
