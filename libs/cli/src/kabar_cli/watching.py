"""Show a page again and again: in place on a terminal, one after the other elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Group, RenderableType
from rich.live import Live

from kabar_cli.screen import Screen


def watch(screen: Screen, page: Callable[[], RenderableType], every: float) -> None:
    """Until Ctrl-C. `page` looks anew; with --json it has answered itself."""
    with _place(screen) as show:
        try:
            while True:
                show(page())
                time.sleep(every)
        except KeyboardInterrupt:
            return


@contextmanager
def _place(screen: Screen) -> Iterator[Callable[[RenderableType], None]]:
    if screen.json or not screen.out.is_terminal:
        yield lambda page: screen.show(Group(page, ""))
        return
    with Live(console=screen.out, auto_refresh=False, screen=True) as live:
        yield lambda page: live.update(page, refresh=True)
