"""The supervisor's process: supervisord, only quicker to notice that a program died.

supervisord looks at its programs once a second, so that a restart takes up to two; asked ten times a second it
takes a fifth of one.
"""

import sys
from typing import Any

from supervisor import supervisord  # type: ignore[import-untyped]  # ships no types
from supervisor.options import ServerOptions  # type: ignore[import-untyped]  # ships no types

_LOOK_EVERY_SECONDS = 0.1


def run(arguments: list[str]) -> None:
    """Read the configuration, become a daemon and supervise until told to shut down."""
    options = ServerOptions()
    options.realize(arguments)
    options.first = True
    options.test = False
    look: Any = options.poller.poll
    options.poller.poll = lambda seconds: look(min(seconds, _LOOK_EVERY_SECONDS))
    supervisord.go(options)
    options.close_httpservers()
    options.close_logger()


if __name__ == "__main__":
    run(sys.argv[1:])
