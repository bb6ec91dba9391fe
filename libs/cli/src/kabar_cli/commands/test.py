"""`kabar test`: does sending work, and what would customers read?"""

from enum import StrEnum
from typing import Annotated

import typer

from kabar_cli.commands.send import report
from kabar_cli.options import Json, Key, Wait, WaitSeconds, Yes
from kabar_cli.session import Session, connected, fresh_key
from kabar_cli.wording import masked

app = typer.Typer(name="test", help="Send a test message to yourself.", no_args_is_help=True)
To = Annotated[
    str | None, typer.Option("--to", metavar="NUMBER", help="Whom to; ADMIN_WHATSAPP_NUMBER of the server if left out.")
]


class Dunning(StrEnum):
    """What customers are reminded with."""

    REMINDER = "payment_reminder"
    OVERDUE = "payment_overdue"


@app.command()
def whatsapp(
    to: To = None,
    message: Annotated[str | None, typer.Option("--message", "-m", metavar="TEXT", help="Another text.")] = None,
    key: Key = None,
    wait: Wait = False,
    wait_seconds: WaitSeconds = 120.0,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send a test message over WhatsApp."""
    with connected(json=json) as session:
        _send(session, to, message, key=key, yes=yes, wait_seconds=wait_seconds if wait else None)


@app.command()
def dunning(
    to: To = None,
    text: Annotated[Dunning, typer.Option("--type", help="Which of the two.")] = Dunning.REMINDER,
    key: Key = None,
    wait: Wait = False,
    wait_seconds: WaitSeconds = 120.0,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send the text of a payment reminder to yourself.

    It names an invented customer, and no customer gets anything. `kabar dunning run --dry-run` tells what the dunning
    would send today.
    """
    with connected(json=json) as session:
        message = session.kabar.preview_template(text.value).whatsapp.text
        _send(session, to, message, key=key, yes=yes, wait_seconds=wait_seconds if wait else None)


def _send(
    session: Session, to: str | None, message: str | None, *, key: str | None, yes: bool, wait_seconds: float | None
) -> None:
    whom = masked(to) if to else "ADMIN_WHATSAPP_NUMBER of the server"
    session.screen.note(f"to       {whom}")
    session.screen.note(f"message  {message or 'the usual test message'}")
    session.screen.confirm("Send it?", yes=yes)
    idempotency_key = fresh_key(key)
    with session.once(idempotency_key):
        accepted = session.kabar.send_test(to, message, idempotency_key=idempotency_key)
    raise typer.Exit(report(session, accepted, wait_seconds))
