"""`kabar delivery`: what became of a message, and why somebody did not get it."""

from itertools import islice
from typing import Annotated

import typer

from kabar_cli.exits import Exit
from kabar_cli.follow import show as show_notification
from kabar_cli.options import Json
from kabar_cli.session import Session, connected
from kabar_cli.views.deliveries import deliveries_table, delivery_story
from kabar_cli.wording import clock, counted, masked
from kabar_client import Forbidden, Missing, Suppression

app = typer.Typer(name="delivery", help="What became of a message, and why.", no_args_is_help=True)


@app.command()
def show(
    identity: Annotated[str, typer.Argument(metavar="ID", help="dlv_… or ntf_…")],
    json: Json = False,
) -> None:
    """Show a delivery with its attempts and timeline; of a notification all of them."""
    with connected(json=json) as session:
        screen = session.screen
        if identity.startswith("ntf_"):
            _show_all(session, identity)
            return
        delivery = session.kabar.delivery(identity)
        screen.answer(delivery)
        screen.show(delivery_story(delivery, screen.now()))


@app.command()
def find(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="In any spelling.")],
    limit: Annotated[int, typer.Option("--limit", metavar="NUMBER", min=1, help="So many at most.")] = 20,
    json: Json = False,
) -> None:
    """Say what was sent to a number, newest first, and why something did not arrive."""
    with connected(json=json) as session:
        screen = session.screen
        found = list(islice(session.kabar.deliveries(recipient=number), limit))
        suppressed = _suppression(session, number)
        screen.answer({"items": found, "next_cursor": None, "suppression": suppressed})
        if suppressed is not None:
            screen.say(_said(session, suppressed), style="yellow")
        if not found:
            screen.say(f"Nothing was ever to be sent to {masked(number)}.")
            raise typer.Exit(Exit.DONE)
        screen.show(deliveries_table(found, screen.now()))
        waits = [one for one in found if one.status in {"queued", "sending", "scheduled"}]
        for one in waits[:1]:
            screen.say()
            screen.say(f"{one.id} waits for: {session.kabar.delivery(one.id).waiting_for or 'its turn'}")
        if len(found) == limit:
            screen.say(f"Only the newest {counted(limit, 'one')}; --limit shows more.")


def _show_all(session: Session, notification_id: str) -> None:
    found = session.kabar.notification(notification_id)
    if session.screen.json:
        deliveries = list(session.kabar.deliveries(notification_id=notification_id))
        session.screen.answer({"notification": found, "deliveries": deliveries})
    else:
        show_notification(session, found)


def _suppression(session: Session, number: str) -> Suppression | None:
    """`None` also for a role that may not look at them."""
    try:
        return session.kabar.suppression(number)
    except (Missing, Forbidden):
        return None


def _said(session: Session, found: Suppression) -> str:
    since = clock(found.created_at, session.screen.now())
    note = f" ({found.note})" if found.note else ""
    return f"{found.recipient} is suppressed since {since} by {found.created_by}: {found.reason}{note}."
