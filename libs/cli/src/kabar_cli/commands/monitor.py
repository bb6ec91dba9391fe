"""`kabar monitor`: is it well?"""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from kabar_cli.exits import Exit, exit_of
from kabar_cli.findings import Check, Finding, findings, providers_left
from kabar_cli.options import Json, Yes
from kabar_cli.screen import Screen
from kabar_cli.session import Session, connected, explained
from kabar_cli.views.overview import overview
from kabar_client import Conflicting, KabarError, Notify, Queue, Refused, Sender

LONGEST_DETAIL = 2_000


@dataclass(frozen=True)
class Look:
    """What was seen, and what of it is wrong."""

    senders: list[Sender]
    queue: Queue
    wrong: list[Finding]

    @property
    def verdict(self) -> Exit:
        return Exit.FAILED if self.wrong else Exit.DONE

    def page(self, screen: Screen) -> RenderableType:
        return overview(self.senders, self.queue, self.wrong, screen.now())

    def document(self) -> dict[str, Any]:
        wrong = [{"check": one.check.value, "key": one.key, "error": one.said} for one in self.wrong]
        return {"ok": not self.wrong, "wrong": wrong, "senders": {"items": self.senders}, "queue": self.queue}


def monitor(
    check_quota: Annotated[
        bool, typer.Option("--check-quota", help="Ask the providers for the quotas and judge them.")
    ] = False,
    check_health: Annotated[
        bool, typer.Option("--check-health", help="Ask for the devices, judge them and the circuits.")
    ] = False,
    check_rate_limits: Annotated[bool, typer.Option("--check-rate-limits", help="Judge hour and day limits.")] = False,
    send_alert: Annotated[
        bool, typer.Option("--send-alert", help="Send administrators a system_alert when something is wrong.")
    ] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Look again and again, until Ctrl-C.")] = False,
    every: Annotated[float, typer.Option("--every", min=1, metavar="SECONDS", help="How often --watch looks.")] = 5.0,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Show senders, queue and dead deliveries, and what is wrong.

    The exit code is 1 when something is. Everything is judged unless one of the checks is named. A sender that is
    paused is not wrong, none that is left is.
    """
    chosen = {Check.QUOTA: check_quota, Check.HEALTH: check_health, Check.LIMITS: check_rate_limits}
    checks = frozenset(check for check, named in chosen.items() if named) or frozenset(Check)
    if watch and send_alert and not yes:
        raise typer.BadParameter("while watching nobody is asked; add --yes", param_hint="--send-alert")
    ask = check_quota or check_health
    with connected(json=json) as session:
        if watch:
            raise typer.Exit(_watch(session, checks, every, ask=ask, send_alert=send_alert))
        look = _look(session, checks, ask=ask)
        _show(session.screen, look)
        if send_alert and look.wrong:
            _alert(session, look, yes=yes)
        raise typer.Exit(look.verdict)


def _look(session: Session, checks: frozenset[Check], *, ask: bool) -> Look:
    kabar = session.kabar
    senders = kabar.senders()
    if ask:
        for one in senders:
            with suppress(Conflicting):  # it has no device, or its gateway is silent, which shows anyway
                kabar.check_sender(one.id)
        senders = kabar.senders()
    queue = kabar.queue()
    wrong = findings(senders, queue, session.screen.now())
    return Look(senders, queue, [one for one in wrong if one.check in checks])


def _show(screen: Screen, look: Look) -> None:
    screen.answer(look.document())
    screen.show(look.page(screen))


def _alert(session: Session, look: Look, *, yes: bool) -> None:
    """Tell administrators, through whoever can still send."""
    screen = session.screen
    detail = "\n".join(one.alert for one in look.wrong)[:LONGEST_DETAIL]
    cause = "kabar monitor"
    if not yes:
        screen.note(f"\nsystem_alert to administrators:\n{detail}")
    screen.confirm("Send it?", yes=yes)
    providers = providers_left(look.senders)
    asked: Notify = {"data": {"cause": cause, "detail": detail}}
    if providers:
        asked["providers"] = providers
    accepted = session.kabar.send("system_alert", **asked)
    screen.note(f"system_alert {accepted.notification_id} goes to {accepted.deliveries}.")


def _watch(session: Session, checks: frozenset[Check], every: float, *, ask: bool, send_alert: bool) -> Exit:
    """Until Ctrl-C; the verdict of the last look. What was alerted of is not alerted of again before it was well."""
    verdict = Exit.DONE
    alerted: frozenset[str] = frozenset()
    with _live(session.screen) as live:
        try:
            while True:
                try:
                    look = _look(session, checks, ask=ask)
                except Refused:
                    raise
                except KabarError as error:
                    verdict = exit_of(error)
                    _update(
                        session.screen, live, Text(f"{session.screen.now():%H:%M:%S}  {explained(error)}", style="red")
                    )
                else:
                    verdict = look.verdict
                    session.screen.answer(look.document(), compact=True)
                    head = f"{session.screen.now():%H:%M:%S}, every {every:g} s, Ctrl-C ends"
                    _update(
                        session.screen,
                        live,
                        Group(head, "", look.page(session.screen)),
                    )
                    keys = frozenset(one.key for one in look.wrong)
                    if send_alert and keys - alerted:
                        _alert(session, look, yes=True)
                    alerted = keys
                time.sleep(every)
        except KeyboardInterrupt:
            return verdict


@contextmanager
def _live(screen: Screen) -> Iterator[Live | None]:
    if screen.json or not screen.out.is_terminal:
        yield None
        return
    with Live(console=screen.out, auto_refresh=False, screen=True) as live:
        yield live


def _update(screen: Screen, live: Live | None, page: RenderableType) -> None:
    if live is None:
        screen.show(Group(page, ""))
    else:
        live.update(page, refresh=True)
