"""`kabar dead`: failed and unknown deliveries that wait for a person."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import islice
from typing import Annotated, cast

import typer

from kabar_cli.exits import Exit
from kabar_cli.options import Json, Yes
from kabar_cli.session import Session, connected
from kabar_cli.views.deliveries import deliveries_table
from kabar_cli.wording import counted
from kabar_client import DeadFilter

app = typer.Typer(name="dead", help="What failed for good and waits for a person.", no_args_is_help=True)
MOST_AT_ONCE = 1_000
SHOWN = 50
TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"]

Status = Annotated[str | None, typer.Option("--status", metavar="WORD", help="failed or unknown.")]
Kind = Annotated[str | None, typer.Option("--type", metavar="TYPE", help="Of this type only.")]
Code = Annotated[
    str | None, typer.Option("--code", metavar="CODE", help="With this code, like RETRY_FAILED or INVALID_PHONE.")
]
Provider = Annotated[
    str | None, typer.Option("--provider", metavar="NAME", help="That this provider was asked to send.")
]
Of = Annotated[str | None, typer.Option("--notification", metavar="ID", help="Of this notification only.")]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since", metavar="TIME", formats=TIMES, help="Accepted then or later: 2025-11-15, 2025-11-15T08:00."
    ),
]
Until = Annotated[datetime | None, typer.Option("--until", metavar="TIME", formats=TIMES, help="Accepted before then.")]
Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="These; or a filter; or --all.")]
All = Annotated[bool, typer.Option("--all", help="Every dead delivery.")]


def _filter(
    status: str | None,
    kind: str | None,
    code: str | None,
    provider: str | None,
    notification: str | None,
    since: datetime | None,
    until: datetime | None,
) -> DeadFilter:
    """What is left out does not matter; times without an offset are of this machine."""
    given = {
        "status": status,
        "type": kind,
        "code": code,
        "provider": provider,
        "notification_id": notification,
        "since": since and since.astimezone(),
        "until": until and until.astimezone(),
    }
    return cast("DeadFilter", {name: value for name, value in given.items() if value is not None})


@app.command("list")
def list_dead(
    status: Status = None,
    kind: Kind = None,
    code: Code = None,
    provider: Provider = None,
    notification: Of = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="NUMBER", min=1, help="So many at most; with --json all.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what failed for good, newest first, and why."""
    chosen = _filter(status, kind, code, provider, notification, since, until)
    with connected(json=json) as session:
        screen = session.screen
        found = session.kabar.dead_deliveries(**chosen)
        if json:
            screen.answer({"items": list(islice(found, limit)), "next_cursor": None})
            return
        shown = list(islice(found, limit or SHOWN))
        if not shown:
            screen.say("No dead delivery waits for a person.")
            return
        screen.show(deliveries_table(shown, screen.now()))
        if next(found, None) is not None:
            screen.say(f"There are more; --limit shows more than {len(shown):,}.")


@app.command()
def retry(
    ids: Ids = None,
    everything: All = False,
    status: Status = None,
    kind: Kind = None,
    code: Code = None,
    provider: Provider = None,
    notification: Of = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Queue dead deliveries anew, with their whole validity."""
    chosen = _filter(status, kind, code, provider, notification, since, until)
    with connected(json=json) as session:
        asked = _asked(session, ids, chosen, everything=everything, question="Send {} anew?", yes=yes)

        def act(some: Sequence[str]) -> tuple[int, int]:
            done = session.kabar.retry_dead(some)
            return done.retried, done.skipped

        retried, skipped = _in_batches(session, asked, act)
        session.screen.answer({"success": True, "retried": retried, "skipped": skipped})
        session.screen.say(f"{counted(retried, 'delivery', 'deliveries')} queued anew{_left_out(skipped)}.")


@app.command()
def discard(
    ids: Ids = None,
    everything: All = False,
    status: Status = None,
    kind: Kind = None,
    code: Code = None,
    provider: Provider = None,
    notification: Of = None,
    since: Since = None,
    until: Until = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Take dead deliveries off the list; they stay as they ended."""
    chosen = _filter(status, kind, code, provider, notification, since, until)
    with connected(json=json) as session:
        asked = _asked(session, ids, chosen, everything=everything, question="Take {} off the list?", yes=yes)

        def act(some: Sequence[str]) -> tuple[int, int]:
            done = session.kabar.discard_dead(some)
            return done.discarded, done.skipped

        discarded, skipped = _in_batches(session, asked, act)
        session.screen.answer({"success": True, "discarded": discarded, "skipped": skipped})
        session.screen.say(f"{counted(discarded, 'delivery', 'deliveries')} off the list{_left_out(skipped)}.")


def _asked(
    session: Session, ids: list[str] | None, chosen: DeadFilter, *, everything: bool, question: str, yes: bool
) -> list[str]:
    """The identities that are meant, agreed to by whoever asks."""
    if bool(ids) + bool(chosen) + everything != 1:
        raise typer.BadParameter("name deliveries, or give a filter, or --all: one of the three", param_hint="ID")
    found = list(ids or ()) or [one.id for one in session.kabar.dead_deliveries(**chosen)]
    if not found:
        session.screen.say("No dead delivery fits.")
        raise typer.Exit(Exit.DONE)
    session.screen.confirm(question.format(counted(len(found), "dead delivery", "dead deliveries")), yes=yes)
    return found


def _in_batches(
    session: Session, ids: Sequence[str], act: Callable[[Sequence[str]], tuple[int, int]]
) -> tuple[int, int]:
    """How many were, and how many were skipped."""
    done = skipped = 0
    with session.screen.progress() as progress:
        task = progress.add_task("deliveries", total=len(ids))
        for begin in range(0, len(ids), MOST_AT_ONCE):
            some = ids[begin : begin + MOST_AT_ONCE]
            of_these, left_out = act(some)
            done, skipped = done + of_these, skipped + left_out
            progress.advance(task, len(some))
    return done, skipped


def _left_out(skipped: int) -> str:
    return f", {skipped:,} skipped: not dead any more, or not known" if skipped else ""
