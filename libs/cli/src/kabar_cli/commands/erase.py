"""`kabar erase`: forget somebody who asks for it."""

from typing import Annotated

import typer

from kabar_cli.exits import Exit
from kabar_cli.follow import erased
from kabar_cli.options import DryRun, Json, Key, Yes
from kabar_cli.session import connected, fresh_key
from kabar_cli.wording import reasons

SECONDS = 120.0


def erase(
    phone: Annotated[str | None, typer.Option("--phone", metavar="NUMBER", help="By their number.")] = None,
    email: Annotated[str | None, typer.Option("--email", metavar="ADDRESS", help="By their e-mail address.")] = None,
    customer: Annotated[
        str | None, typer.Option("--customer-id", metavar="ID", help="As the directory knows them.")
    ] = None,
    dry_run: DryRun = False,
    seconds: Annotated[float, typer.Option("--wait-seconds", min=1, metavar="SECONDS")] = SECONDS,
    key: Key = None,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Erase one person: what was said to them and about them. The statistics stay, and so does an opt-out.

    How much there is is counted first, and you are asked: nothing brings it back. It goes on when you stop waiting.
    """
    given = {"phone": phone, "email": email, "customer_id": customer}
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) != 1:
        raise typer.BadParameter("name the person by one of --phone, --email and --customer-id")
    with connected(json=json) as session:
        kabar, screen = session.kabar, session.screen
        if not dry_run and not yes:
            there_is = erased(session, kabar.erase(**named, dry_run=True).erasure_id, seconds)
            screen.confirm(f"Erase {there_is.named} for good: {reasons(there_is.counts)}?", yes=False)
        idempotency_key = fresh_key(key)
        with session.once(idempotency_key):
            asked = kabar.erase(**named, dry_run=dry_run, idempotency_key=idempotency_key)
        done = erased(session, asked.erasure_id, seconds)
        screen.answer(done)
        screen.say(f"{'Dry run, nothing is erased: ' if dry_run else ''}{done.named}: {reasons(done.counts)}")
        raise typer.Exit(Exit.DONE)
