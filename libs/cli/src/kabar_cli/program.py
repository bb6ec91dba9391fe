"""The program `kabar`: its commands, and how it ends."""

import os
import sys
from importlib.metadata import version
from typing import Annotated

import typer

from kabar_cli.commands import dead, delivery, dunning, queue, schedule, test, token
from kabar_cli.commands.erase import erase
from kabar_cli.commands.importing import import_rows
from kabar_cli.commands.monitor import monitor
from kabar_cli.commands.restored import restored
from kabar_cli.commands.send import EXAMPLES, send
from kabar_cli.exits import EPILOG, Exit

app = typer.Typer(
    name="kabar",
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(monitor)
app.command(epilog=EXAMPLES)(send)
for group in (test, dunning, schedule, queue, dead):
    app.add_typer(group.app)
app.command("import")(import_rows)
app.command()(erase)
app.command()(restored)
for group in (delivery, token):
    app.add_typer(group.app)


def _version(asked: bool) -> None:  # noqa: FBT001 - Typer calls it so
    if asked:
        typer.echo(f"kabar {version('kabar-cli')}")
        raise typer.Exit(Exit.DONE)


@app.callback()
def kabar(
    *,
    _: Annotated[bool, typer.Option("--version", is_eager=True, callback=_version, help="Show the version.")] = False,
) -> None:
    """Kabar at the command line. KABAR_URL and KABAR_TOKEN say where it is and who you are; where `make up` runs:
    set -a; . .run/env; set +a
    """


def main() -> None:
    """Run and exit; whatever happens, nobody sees a traceback unless KABAR_DEBUG is set."""
    try:
        app(prog_name="kabar")
    except Exception as error:
        if os.environ.get("KABAR_DEBUG"):
            raise
        sys.stderr.write(f"error: a defect of kabar: {type(error).__name__}: {error}; KABAR_DEBUG=1 shows where\n")
        sys.exit(Exit.FAILED)
