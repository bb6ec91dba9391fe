"""`kabar send`: any notification."""

import json as json_text
import sys
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from kabar_cli.exits import Exit
from kabar_cli.follow import outcome
from kabar_cli.options import Json, Key, Wait, WaitSeconds, Yes
from kabar_cli.screen import Screen
from kabar_cli.session import Session, connected, fresh_key
from kabar_cli.wording import clock, counted, masked
from kabar_client import Accepted, Notify

Texts = list[str] | None
SHOWN_RECIPIENTS = 5
EXAMPLES = """\b
kabar send --to 6281200000001 --message "Halo dari Kabar" --wait
kabar send welcome --data customer_id=C-1
kabar send maintenance --data-file friday.json"""


def send(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="custom, welcome, maintenance, …")] = "custom",
    to: Annotated[Texts, typer.Option("--to", metavar="NUMBER", help="Whom to; again for more, - reads lines.")] = None,
    message: Annotated[
        str | None, typer.Option("--message", "-m", metavar="TEXT", help="The text of a custom one; - reads it.")
    ] = None,
    data: Annotated[
        Texts, typer.Option("--data", "-d", metavar="NAME=TEXT|NAME:=JSON", help="A value of the type; again for more.")
    ] = None,
    data_file: Annotated[
        Path | None,
        typer.Option("--data-file", metavar="FILE", exists=True, dir_okay=False, help="The values as a JSON file."),
    ] = None,
    template: Annotated[
        str | None, typer.Option("--template", metavar="NAME", help="For custom: a stored template.")
    ] = None,
    priority: Annotated[
        str | None, typer.Option("--priority", metavar="WORD", help="critical, high, normal or low.")
    ] = None,
    send_at: Annotated[str | None, typer.Option("--send-at", metavar="ISO-8601", help="Not before then.")] = None,
    validity: Annotated[
        float | None, typer.Option("--validity", metavar="SECONDS", help="After it, it is not sent any more.")
    ] = None,
    on_unknown: Annotated[str | None, typer.Option("--on-unknown", metavar="WORD", help="resend or hold.")] = None,
    channel: Annotated[
        Texts, typer.Option("--channel", metavar="NAME", help="whatsapp or email; again for both.")
    ] = None,
    provider: Annotated[
        Texts, typer.Option("--provider", metavar="NAME", help="The route; again for the next one.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Although it ends beyond its validity.")] = False,
    direct: Annotated[bool, typer.Option("--direct", help="Skip the queue, wait for the provider.")] = False,
    key: Key = None,
    wait: Wait = False,
    wait_seconds: WaitSeconds = 120.0,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Send a custom text to numbers, or any type to whom it is about."""
    given: dict[str, Any] = {
        "to": _recipients(to),
        "message": sys.stdin.read() if message == "-" else message,
        "data": _values(data or [], data_file),
        "template": template,
        "priority": priority,
        "send_at": send_at,
        "validity_seconds": validity,
        "on_unknown": on_unknown,
        "channels": channel,
        "providers": provider,
        "force": force,
        "direct": direct,
    }
    asked = cast("Notify", {name: value for name, value in given.items() if value})
    with connected(json=json) as session:
        _preview(session.screen, kind, asked)
        session.screen.confirm("Send it?", yes=yes)
        asked["idempotency_key"] = fresh_key(key)
        with session.once(asked["idempotency_key"]):
            accepted = session.kabar.send(kind, **asked)
        raise typer.Exit(report(session, accepted, wait_seconds if wait else None))


def report(session: Session, accepted: Accepted, wait_seconds: float | None) -> Exit:
    """Say what was accepted, or follow it to its end."""
    screen = session.screen
    for one in accepted.rejected:
        screen.note(f"left out: {one.value}: {one.error}")
    if accepted.warning:
        screen.note(f"warning: {accepted.warning}")
    if accepted.delivery is not None:
        return _direct(screen, accepted)
    if wait_seconds is not None:
        screen.note(f"Accepted as {accepted.notification_id} for {counted(accepted.deliveries, 'recipient')}.")
        return outcome(session, accepted, wait_seconds)
    finish = clock(accepted.estimated_finish, screen.now()) if accepted.estimated_finish else "not known"
    screen.say(f"Accepted as {accepted.notification_id} for {counted(accepted.deliveries, 'recipient')}.")
    screen.say(f"Estimated finish: {finish}. Follow it with: kabar delivery show {accepted.notification_id}")
    screen.answer(accepted)
    return Exit.DONE


def _direct(screen: Screen, accepted: Accepted) -> Exit:
    """What the provider said at once."""
    told: dict[str, Any] = accepted.model_extra or {}
    error = f": {told['error']}" if told.get("error") else ""
    screen.say(f"{accepted.notification_id}: {told.get('status', 'accepted')}{error}")
    screen.answer(accepted)
    return Exit.DONE if accepted.success else Exit.FAILED


def _preview(screen: Screen, kind: str, asked: Notify) -> None:
    """What will be sent to whom; numbers are masked."""
    lines = {"type": kind, "to": _whom(list(asked.get("to", [])))} | {
        name: _shown(value) for name, value in asked.items() if name != "to" and not (kind == "otp" and name == "data")
    }
    for name, value in lines.items():
        screen.note(f"{name.replace('_', ' '):<16} {value}")


def _whom(recipients: list[str]) -> str:
    if not recipients:
        return "whom the type and its data name"
    shown = ", ".join(masked(one) for one in recipients[:SHOWN_RECIPIENTS])
    more = len(recipients) - SHOWN_RECIPIENTS
    return f"{shown} and {more:,} more" if more > 0 else shown


def _shown(value: object) -> str:
    match value:
        case True:
            return "yes"
        case list():
            return ", ".join(map(str, value))
        case dict():
            return ", ".join(f"{name}={one}" for name, one in value.items())
    return str(value)


def _recipients(to: Texts) -> list[str]:
    """`-` stands for the lines of stdin."""
    if to == ["-"]:
        return [line.strip() for line in sys.stdin if line.strip()]
    return to or []


def _values(pairs: list[str], file: Path | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if file is not None:
        values = _json(file.read_bytes(), "--data-file")
        if not isinstance(values, dict):
            raise typer.BadParameter("must hold one JSON object", param_hint="--data-file")
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.rstrip(":"):
            raise typer.BadParameter(f"{pair!r} must read name=text or name:=json", param_hint="--data")
        values[name.removesuffix(":")] = _json(value, "--data") if name.endswith(":") else value
    return values


def _json(text: str | bytes, option: str) -> Any:
    try:
        return json_text.loads(text)
    except ValueError as error:
        raise typer.BadParameter(f"is not JSON: {error}", param_hint=option) from error
