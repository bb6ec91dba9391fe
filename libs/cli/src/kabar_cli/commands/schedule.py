"""`kabar schedule`: what runs when, and run it now."""

from typing import Annotated

import typer

from kabar_cli.exits import Exit
from kabar_cli.follow import finished
from kabar_cli.options import Day, DryRun, Json, Key, Yes, day_of
from kabar_cli.session import Session, connected, fresh_key
from kabar_cli.views.runs import jobs_table, lines_table
from kabar_client import JobRun

app = typer.Typer(name="schedule", help="What runs when; run it now.", no_args_is_help=True)
RUN_SECONDS = 300.0


@app.command("list")
def list_jobs(json: Json = False) -> None:
    """Show every job: its schedule, its next run, and how the last one went."""
    with connected(json=json) as session:
        jobs = session.kabar.jobs()
        session.screen.answer({"items": jobs, "next_cursor": None})
        session.screen.show(jobs_table(jobs, session.screen.now()))
        zones = ", ".join(sorted({one.timezone for one in jobs if one.timezone}))
        session.screen.say(f"Schedules are in {zones or 'no time zone'}, other times in {session.screen.now():%Z}.")


@app.command("run")
def run_job(
    name: Annotated[str, typer.Argument(metavar="JOB", help="As `kabar schedule list` calls it.")],
    date: Day = None,
    dry_run: DryRun = False,
    seconds: Annotated[float, typer.Option("--wait-seconds", min=1, metavar="SECONDS")] = RUN_SECONDS,
    key: Key = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Run a job now and show what it did."""
    day = day_of(date)
    with connected(json=json) as session:
        if not dry_run:
            session.screen.confirm(f"Run {name} now{f' as of {day}' if day else ''}? It may send messages.", yes=yes)
        run_id = run_now(session, name, day, key, dry_run=dry_run)
        raise typer.Exit(conclude(session, finished(session, name, run_id, seconds)))


def run_now(session: Session, name: str, day: str | None, key: str | None, *, dry_run: bool) -> str:
    """Ask for a run; its identity."""
    idempotency_key = fresh_key(key)
    with session.once(idempotency_key):
        asked = session.kabar.run_job(name, date=day, dry_run=dry_run, idempotency_key=idempotency_key)
    session.screen.note(f"{'Dry run' if dry_run else 'Run'} {asked.run_id} is asked for.")
    return asked.run_id


def conclude(session: Session, run: JobRun) -> Exit:
    """Show what a run did; the exit code."""
    screen = session.screen
    screen.answer(run)
    screen.show(lines_table(run))
    for error in run.errors:
        screen.note(f"error: {error}")
    if run.status != "done":
        screen.note(f"The run is {run.status}.")
    elif run.dry_run:
        screen.say("Nothing was sent: it was a dry run.")
    return Exit.DONE if run.status == "done" and not run.errors else Exit.FAILED
