"""`kabar restored`: the first thing to do once a backup was restored."""

from collections import Counter

import typer

from kabar_cli.exits import Exit
from kabar_cli.options import Json, Yes
from kabar_cli.session import connected, fresh_key
from kabar_cli.wording import counted

COUNTED = ("deliveries", "notifications", "runs", "requests")


def restored(yes: Yes = False, json: Json = False) -> None:
    """Hold what a restored backup shows as not over: it may have been sent since, and is not sent again by itself.

    For an api-gateway that runs alone, before dispatchers, schedulers and gateways are started; refused beside them.
    """
    with connected(json=json) as session:
        screen = session.screen
        if not yes:
            screen.confirm("Hold everything that is not over for a person?", yes=False)
        held: Counter[str] = Counter(dict.fromkeys(COUNTED, 0))
        more = True
        while more:
            done = session.kabar.hold_unfinished(idempotency_key=fresh_key(None))
            held.update(done.model_dump(include=set(COUNTED)))
            more = done.more
            screen.note(f"{counted(held['deliveries'], 'delivery', 'deliveries')} held")
        screen.answer(dict(held))
        screen.say(
            f"Held: {counted(held['deliveries'], 'delivery', 'deliveries')}, and what comes of "
            f"{counted(held['notifications'], 'notification', 'notifications')}. Not made up for: "
            f"{counted(held['runs'], 'run of a job', 'runs of jobs')}, "
            f"{counted(held['requests'], 'request of one', 'requests of theirs')}."
        )
        screen.say("Now start the rest, and look at what is held: kabar dead list --status unknown")
        raise typer.Exit(Exit.DONE)
