"""Wait until something is over."""

import time
from collections.abc import Callable, Mapping
from itertools import islice
from typing import TypeVar

import typer
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn

from kabar_cli.exits import Exit
from kabar_cli.session import Session
from kabar_cli.views.deliveries import deliveries_table, delivery_story
from kabar_client import Accepted, Erasure, JobRun, Notification

T = TypeVar("T")
WAITING = ("scheduled", "queued", "sending")
SUCCEEDED = frozenset({"sent", "delivered", "read"})
RUNNING = frozenset({"requested", "running"})
STORIES = 3
"""Of so many deliveries the whole timeline is shown; of more a table."""
ROWS = 20


def outcome(session: Session, accepted: Accepted, seconds: float) -> Exit:
    """Wait for every delivery of a notification, show what became of it, and answer the exit code."""
    kabar, screen = session.kabar, session.screen
    found = _until_over(session, accepted.notification_id, seconds)
    if screen.json:
        deliveries = list(kabar.deliveries(notification_id=found.id))
        screen.answer({"accepted": accepted, "notification": found, "deliveries": deliveries})
    else:
        show(session, found)
    if _all_scheduled(found) and waiting(found):
        screen.note(f"Scheduled for later; look again with: kabar delivery show {found.id}")
        return Exit.WAITING
    if waiting(found):
        screen.note(f"Not over after {seconds:g} s; look again with: kabar delivery show {found.id}")
        return Exit.WAITING
    return Exit.DONE if 0 < sum(found.progress.values()) == good(found.progress) else Exit.FAILED


def finished(session: Session, job: str, run_id: str, seconds: float) -> JobRun:
    """Wait for a run of a job; ends the command when it takes longer."""
    kabar = session.kabar
    run = _poll(lambda: kabar.job_run(job, run_id), lambda one: one.status not in RUNNING, seconds)
    if run.status in RUNNING:
        session.screen.answer(run)
        session.screen.note(f"{job} is {run.status} after {seconds:g} s; look again with: kabar schedule list")
        raise typer.Exit(Exit.WAITING)
    return run


def erased(session: Session, erasure_id: str, seconds: float) -> Erasure:
    """Wait until somebody is erased; ends the command when it takes longer."""
    kabar, screen = session.kabar, session.screen
    found = _poll(lambda: kabar.erasure(erasure_id), lambda one: one.status == "done", seconds)
    if found.status != "done":
        screen.answer(found)
        waits = f"; it waits for {found.waits_for}" if found.waits_for else ""
        then = "It only counts: nothing is erased" if found.dry_run else "It goes on by itself"
        screen.note(f"{erasure_id} is {found.status} after {seconds:g} s{waits}. {then}")
        raise typer.Exit(Exit.WAITING)
    return found


def waiting(notification: Notification) -> int:
    """How many are not over; those not planned yet count, too."""
    if notification.status == "accepted":
        return max(1, notification.recipients - sum(notification.progress.values()))
    return sum(notification.progress.get(status, 0) for status in WAITING)


def good(progress: Mapping[str, int]) -> int:
    return sum(count for status, count in progress.items() if status in SUCCEEDED)


def _until_over(session: Session, notification_id: str, seconds: float) -> Notification:
    bar = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:,.0f}/{task.total:,.0f}"))
    with session.screen.progress(*bar, TimeElapsedColumn()) as progress:
        task = progress.add_task("waiting for the outcome", total=None)

        def look() -> Notification:
            found = session.kabar.notification(notification_id)
            progress.update(task, total=found.recipients, completed=found.recipients - waiting(found))
            return found

        return _poll(look, lambda found: not waiting(found) or _all_scheduled(found), seconds)


def _all_scheduled(found: Notification) -> bool:
    """Waiting for what is to be sent later would be in vain."""
    return found.status != "accepted" and waiting(found) == found.progress.get("scheduled", 0)


def show(session: Session, found: Notification) -> None:
    """Of a few deliveries the whole story; of many how they ended and which went wrong."""
    kabar, screen = session.kabar, session.screen
    if found.recipients <= STORIES:
        for one in list(kabar.deliveries(notification_id=found.id)):
            screen.show(delivery_story(kabar.delivery(one.id), screen.now()))
            screen.say()
        return
    counts = ", ".join(f"{count:,} {status}" for status, count in found.progress.items())
    screen.say(f"{found.id}: {counts or 'nothing is planned yet'}")
    for status, count in found.progress.items():
        if status not in SUCCEEDED and status not in WAITING:
            rows = list(islice(kabar.deliveries(notification_id=found.id, status=status), ROWS))
            screen.show(deliveries_table(rows, screen.now()))
            if count > len(rows):
                screen.say(f"and {count - len(rows):,} more that are {status}")


def _poll(look: Callable[[], T], over: Callable[[T], bool], seconds: float) -> T:
    ends = time.monotonic() + seconds
    pause = 0.2
    while True:
        found = look()
        left = ends - time.monotonic()
        if over(found) or left <= 0:
            return found
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, 2.0)
