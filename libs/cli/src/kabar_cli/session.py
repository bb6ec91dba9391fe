"""A conversation with Kabar: the client from the environment, and what goes wrong as one clear line."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import typer

from kabar_cli.exits import Exit, exit_of
from kabar_cli.screen import Screen
from kabar_client import Forbidden, Kabar, KabarError, Refused, Unauthenticated, Unavailable, Unreachable, Unreadable
from kabar_client.failures import Answered

ENVIRONMENT = "set -a; . .run/env; set +a"
NEW_TOKEN = f"KABAR_TOKEN must hold a valid one: `{ENVIRONMENT}` where make up runs, or `kabar token create`"


@dataclass(frozen=True)
class Session:
    kabar: Kabar
    screen: Screen

    @contextmanager
    def once(self, key: str) -> Iterator[None]:
        """Around a call under an idempotency key: when its answer is lost, say how to repeat it safely."""
        try:
            yield
        except (Unreachable, Unreadable, Unavailable, KeyboardInterrupt):
            self.screen.note(f"Nobody knows whether it was done. The same command with --key {key} does it only once.")
            raise


@contextmanager
def connected(*, json: bool = False) -> Iterator[Session]:
    """Talk to Kabar at KABAR_URL with KABAR_TOKEN (or KABAR_API_KEY). Whatever it refuses ends the command."""
    screen = Screen(json=json)
    client = _client(screen)
    try:
        with client as kabar:
            yield Session(kabar, screen)
    except KabarError as error:
        complain(screen, error)
        raise typer.Exit(exit_of(error)) from error


def complain(screen: Screen, error: KabarError) -> None:
    """One line for people, the API's own error for a script."""
    screen.note(f"error: {explained(error)}")
    for field, problem in _more_fields(error).items():
        screen.note(f"  {field}: {problem}")
    for one in error.rejected[:20] if isinstance(error, Answered) else ():
        screen.note(f"  {one.get('value')}: {one.get('error')}")
    screen.answer(_body(error))


def explained(error: KabarError) -> str:
    """What is wrong and what to do about it."""
    match error:
        case Unauthenticated():
            return f"{error}; {NEW_TOKEN}"
        case Unreachable():
            return (
                f"Kabar does not answer at {os.environ.get('KABAR_URL')} ({error}); is it up, and is KABAR_URL right?"
            )
        case Unreadable():
            return f"{error}; does KABAR_URL ({os.environ.get('KABAR_URL')}) lead to Kabar?"
        case Forbidden() | Refused() | Unavailable():
            request = f" (request {error.request_id})" if error.status >= 500 and error.request_id else ""
            return f"{error}{request}"
    return str(error)


def fresh_key(given: str | None) -> str:
    return given or uuid.uuid4().hex


def _client(screen: Screen) -> Kabar:
    missing = [] if os.environ.get("KABAR_URL") else ["KABAR_URL"]
    if not os.environ.get("KABAR_TOKEN") and not os.environ.get("KABAR_API_KEY"):
        missing.append("KABAR_TOKEN")
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        screen.note(f"error: {' and '.join(missing)} {verb} not set; where make up runs: `{ENVIRONMENT}`")
        raise typer.Exit(Exit.USAGE)
    try:
        return Kabar.from_environment()
    except ValueError as error:
        screen.note(f"error: KABAR_{str(error).replace('url:', 'URL:', 1).replace('token:', 'TOKEN:', 1)}")
        raise typer.Exit(Exit.USAGE) from error


def _more_fields(error: KabarError) -> dict[str, str]:
    """Those the error's text does not name already."""
    fields = error.fields if isinstance(error, Answered) else {}
    return {name: problem for name, problem in fields.items() if problem not in str(error)}


def _body(error: KabarError) -> dict[str, Any]:
    if isinstance(error, Answered) and error.body:
        return dict(error.body)
    return {"success": False, "error": explained(error), "code": "UNAVAILABLE"}
