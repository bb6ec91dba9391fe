"""`kabar monitor`: is it well?"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from kabar_cli.exits import Exit, exit_of
from kabar_cli.findings import Check, Finding, alert_key, findings, way_left
from kabar_cli.options import Json, Yes
from kabar_cli.screen import Screen
from kabar_cli.session import Session, connected, explained
from kabar_cli.views.overview import overview
from kabar_cli.watching import watch as keep_watching
from kabar_client import Conflicting, Forbidden, KabarError, Limited, Queue, Refused, Sender, Unauthenticated

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
            watched = Watched(session, checks, every, ask=ask, send_alert=send_alert)
            keep_watching(session.screen, watched.page, every)
            raise typer.Exit(watched.verdict)
        look = _look(session, checks, ask=ask)
        _show(session.screen, look)
        if send_alert and look.wrong:
            if not yes:
                session.screen.note(f"\nsystem_alert to administrators:\n{_detail(look)}")
            session.screen.confirm("Send it?", yes=yes)
            session.screen.note(_alert(session, look))
        raise typer.Exit(look.verdict)


def _look(session: Session, checks: frozenset[Check], *, ask: bool) -> Look:
    kabar = session.kabar
    senders = kabar.senders()
    if ask:
        for one in senders:
            with suppress(Conflicting):  # its gateway is silent, which shows anyway
                kabar.check_sender(one.id)
        senders = kabar.senders()
    queue = kabar.queue()
    alerts = list(kabar.alerts(status="active"))
    wrong = findings(senders, queue, alerts, session.screen.now())
    return Look(senders, queue, [one for one in wrong if one.check in checks])


def _show(screen: Screen, look: Look) -> None:
    screen.answer(look.document())
    screen.show(look.page(screen))


def _detail(look: Look) -> str:
    return "\n".join(one.alert for one in look.wrong)[:LONGEST_DETAIL]


def _alert(session: Session, look: Look) -> str:
    """Tell administrators, through whoever can still send; what became of it."""
    asked = way_left(look.senders)
    if asked is None:
        return "Nobody can be told: no sender can send."
    asked["data"] = {"cause": "kabar monitor", "detail": _detail(look)}
    asked["idempotency_key"] = alert_key(look.wrong, session.screen.now())
    try:
        accepted = session.kabar.send("system_alert", **asked)
    except Refused as refused:
        if refused.code == "IDEMPOTENCY_CONFLICT":
            return "Administrators were told of this within the hour."
        if "channels" not in asked or isinstance(refused, Unauthenticated | Forbidden | Limited):
            raise
        return f"Nobody can be told: only e-mail is left, and {refused}."
    return f"system_alert {accepted.notification_id} goes to {accepted.deliveries}."


@dataclass
class Watched:
    """Looks anew whenever it is shown. What was alerted of is not alerted of again before it was well."""

    session: Session
    checks: frozenset[Check]
    every: float
    ask: bool
    send_alert: bool
    verdict: Exit = Exit.DONE
    alerted: frozenset[str] = frozenset()
    told: str = ""

    def page(self) -> RenderableType:
        screen = self.session.screen
        try:
            look = _look(self.session, self.checks, ask=self.ask)
            self._alert(look)
        except Refused:
            raise
        except KabarError as error:
            self.verdict = exit_of(error)
            return Text(f"{screen.now():%H:%M:%S}  {explained(error)}", style="red")
        self.verdict = look.verdict
        screen.answer(look.document(), compact=True)
        head = f"{screen.now():%H:%M:%S}, every {self.every:g} s, Ctrl-C ends. {self.told}"
        return Group(Text(head), "", look.page(screen))

    def _alert(self, look: Look) -> None:
        keys = frozenset(one.key for one in look.wrong)
        if self.send_alert and keys - self.alerted:
            self.told = _alert(self.session, look)
        self.alerted = keys
