"""What a script may rely on."""

from enum import IntEnum

from kabar_client import Forbidden, KabarError, Refused, Unauthenticated


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    FAILED = 1
    """Refused, failed, or (`monitor`) something is wrong."""
    USAGE = 2
    """The command itself is wrong, or KABAR_URL or KABAR_TOKEN is missing."""
    UNREACHABLE = 3
    """No answer that can be read, or Kabar cannot do it now: the same again later may work."""
    FORBIDDEN = 4
    """The token is not valid, or its role may not do this."""
    WAITING = 5
    """It was accepted, and how it ends was not known when the time to wait was up."""


EPILOG = (
    "Exit codes: 0 done; 1 refused, failed, or something is wrong; 2 wrong usage, or KABAR_URL or KABAR_TOKEN missing; "
    "3 Kabar cannot be reached; 4 not allowed; 5 accepted, and not over when the time to wait was up; 130 interrupted."
)


def exit_of(error: KabarError) -> Exit:
    """The exit code for what a call raised."""
    if isinstance(error, Unauthenticated | Forbidden):
        return Exit.FORBIDDEN
    return Exit.FAILED if isinstance(error, Refused) else Exit.UNREACHABLE
