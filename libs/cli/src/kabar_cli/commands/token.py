"""`kabar token`: a token for a person, signed on this machine."""

import os
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import jwt
import typer

from kabar_cli.exits import Exit
from kabar_cli.options import Json
from kabar_cli.screen import Screen

app = typer.Typer(name="token", help="Tokens for people.", no_args_is_help=True)
SHORTEST_SECRET = 16
SECRET = "KABAR_JWT_SECRET"  # noqa: S105 - the name of the variable


class Role(StrEnum):
    ADMIN = "admin"
    MANAGER = "manager"
    SUPERVISOR = "supervisor"
    NOC = "noc"
    CS = "cs"
    TECHNICIAN = "technician"


@app.callback()
def group() -> None:
    """Tokens for people."""


@app.command()
def create(
    role: Annotated[Role, typer.Option("--role", help="What they may do.")],
    subject: Annotated[
        str, typer.Option("--subject", metavar="NAME", help="Who it is for; the audit log names them by it.")
    ],
    hours: Annotated[
        float, typer.Option("--hours", metavar="HOURS", min=0.01, max=24 * 366, help="How long it is valid.")
    ] = 12.0,
    json: Json = False,
) -> None:
    """Make a token and print it.

    It is signed with KABAR_JWT_SECRET as api-gateway has it: the file of this name in KABAR_SECRETS_DIRECTORY, or
    the environment; of several lines with the first. KABAR_JWT_ISSUER and KABAR_JWT_AUDIENCE go into it where they
    are set. `make up` keeps its secret in .run/secrets.json.
    """
    screen = Screen(json=json)
    secret = _secret()
    if len(secret) < SHORTEST_SECRET:
        why = f"is shorter than {SHORTEST_SECRET} characters" if secret else "is not set"
        screen.note(f"error: {SECRET} {why}; it must be as api-gateway has it")
        raise typer.Exit(Exit.USAGE)
    if not subject.strip():
        raise typer.BadParameter("must name somebody", param_hint="--subject")
    expires_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    claims: dict[str, Any] = {"sub": subject.strip(), "role": role.value, "exp": expires_at}
    for claim, variable in (("iss", "KABAR_JWT_ISSUER"), ("aud", "KABAR_JWT_AUDIENCE")):
        if os.environ.get(variable):
            claims[claim] = os.environ[variable]
    token = jwt.encode(claims, secret, algorithm="HS256")
    screen.say(token)
    screen.note(f"{role.value} {subject}, valid until {expires_at.astimezone():%Y-%m-%d %H:%M:%S %z}")
    screen.answer({"token": token, "subject": subject, "role": role.value, "expires_at": expires_at.isoformat()})


def _secret() -> str:
    """The one to sign with; empty when there is none."""
    directory = os.environ.get("KABAR_SECRETS_DIRECTORY")
    file = Path(directory, SECRET) if directory else None
    try:
        text = file.read_text(encoding="utf-8") if file is not None and file.exists() else os.environ.get(SECRET, "")
    except (OSError, UnicodeError) as error:
        raise typer.BadParameter(f"its file cannot be read: {type(error).__name__}", param_hint=SECRET) from error
    return next((line.strip() for line in text.split("\n") if line.strip()), "")
