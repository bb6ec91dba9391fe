"""`kabar queue`: what waits for WhatsApp."""

from typing import Annotated

import typer

from kabar_cli.exits import Exit
from kabar_cli.options import Json, Key, Yes
from kabar_cli.session import Session, connected, fresh_key
from kabar_cli.tables import Rows
from kabar_cli.views.senders import dead_line, queue_line, queue_table, senders_table
from kabar_cli.wording import clock, counted
from kabar_client import Sender

app = typer.Typer(name="queue", help="Look at the queue, stop it, let it go on, empty it.", no_args_is_help=True)
Senders = Annotated[
    list[str] | None, typer.Option("--sender", metavar="ID", help="Only this one; again for more. All if left out.")
]


@app.command()
def status(json: Json = False) -> None:
    """Show what waits, by priority, and who is next."""
    with connected(json=json) as session:
        queue, screen = session.kabar.queue(), session.screen
        screen.answer(queue)
        screen.say(queue_line(queue, screen.now()))
        if queue.queue_length:
            screen.show(queue_table(queue))
            rows = [
                (clock(one.queued_at, screen.now()), one.id, one.type, one.recipient, one.priority)
                for one in queue.next_messages
            ]
            screen.say()
            screen.show(Rows(["next since", "id", "type", "to", "priority"], rows))
        screen.say(dead_line(queue))


@app.command()
def pause(sender: Senders = None, json: Json = False) -> None:
    """Stop sending: what waits keeps waiting, what is under way is finished."""
    with connected(json=json) as session:
        chosen = _chosen(session, sender)
        changed = [one if one.status == "paused" else session.kabar.pause_sender(one.id) for one in chosen]
        _show(session, changed, "Paused. Nothing more goes out through them until: kabar queue resume")


@app.command()
def resume(sender: Senders = None, json: Json = False) -> None:
    """Send again; closes open circuits, too."""
    with connected(json=json) as session:
        changed = [session.kabar.resume_sender(one.id) for one in _chosen(session, sender)]
        _show(session, changed, "Resumed.")


@app.command()
def clear(key: Key = None, yes: Yes = False, json: Json = False) -> None:
    """End everything queued for WhatsApp; what is scheduled for later stays, and so do e-mails."""
    with connected(json=json) as session:
        screen = session.screen
        waiting = session.kabar.queue().queue_length
        if waiting and not yes:
            counts = counted(waiting, "delivery that waits", "deliveries that wait")
            screen.confirm(f"End {counts}? They are not sent, and nothing brings them back at once.", yes=False)
        idempotency_key = fresh_key(key)
        with session.once(idempotency_key):
            done = session.kabar.clear_queue(idempotency_key=idempotency_key)
        screen.answer(done)
        screen.say(f"{counted(done.cleared, 'delivery', 'deliveries')} ended.")


def _chosen(session: Session, wanted: list[str] | None) -> list[Sender]:
    senders = session.kabar.senders()
    if not wanted:
        return senders
    known = {one.id: one for one in senders}
    unknown = [one for one in wanted if one not in known]
    if unknown:
        session.screen.note(f"error: --sender: there is no {', '.join(unknown)}; there are {', '.join(known)}")
        raise typer.Exit(Exit.FAILED)
    return [known[one] for one in wanted]


def _show(session: Session, senders: list[Sender], said: str) -> None:
    session.screen.answer({"items": senders, "next_cursor": None})
    session.screen.show(senders_table(senders))
    session.screen.say(said if senders else "There are no senders.")
