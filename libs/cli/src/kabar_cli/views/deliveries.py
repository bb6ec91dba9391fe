"""Deliveries, one or many."""

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from kabar_cli.tables import Column, Columns, Rows
from kabar_cli.wording import clock, harmless
from kabar_client import Attempt, Delivery


def deliveries_table(deliveries: Sequence[Delivery], now: datetime) -> Rows:
    columns = ("created", "id", "type", "to", "status", "why")
    return Rows(columns, [_row(one, now) for one in deliveries], briefly=[_briefly(one, now) for one in deliveries])


def delivery_story(delivery: Delivery, now: datetime) -> RenderableType:
    """What it is, its attempts and its timeline."""
    parts: list[RenderableType] = [_text(delivery.id), _text(f"  {how(delivery)}")]
    parts += [_text(f"  {name:<10} {value}") for name, value in _facts(delivery, now) if value]
    if delivery.attempts:
        columns: Columns = ["attempt", "sender", "outcome", Column("took", right=True), "message id", "error"]
        parts += [_text(""), Rows(columns, [_attempt(one) for one in delivery.attempts])]
    if delivery.timeline:
        begin = delivery.timeline[0].at
        rows = [
            (clock(one.at, now), f"+{(one.at - begin).total_seconds():.3f} s", one.status, one.cause)
            for one in delivery.timeline
        ]
        parts += [_text(""), Rows(["at", Column("", right=True), "status", "cause"], rows)]
    return Group(*parts)


def how(delivery: Delivery) -> str:
    """`custom to 6281******001: sent through wablas-1, by failover`."""
    words = [f"{delivery.type} to {delivery.recipient}: {delivery.status}"]
    if delivery.sent_at is not None and delivery.attempts:
        words.append(f" through {delivery.attempts[-1].sender}")
    if delivery.failover:
        words.append(", by failover")
    if delivery.possible_duplicate:
        words.append(", possibly twice")
    return "".join(words)


def why(delivery: Delivery) -> str | None:
    """The reason it ended as it did, with the code that `kabar dead` filters by, or what its last attempt said."""
    if delivery.reason:
        return delivery.reason if delivery.code is None else f"{delivery.reason} ({delivery.code})"
    failed = [one for one in delivery.attempts if one.error]
    return None if delivery.sent_at is not None or not failed else f"{failed[-1].sender}: {failed[-1].error}"


def _facts(delivery: Delivery, now: datetime) -> list[tuple[str, str | None]]:
    return [
        ("reason", why(delivery) if delivery.reason else None),
        ("waits for", delivery.waiting_for),
        ("part of", delivery.notification_id),
        ("channel", delivery.channel),
        ("priority", delivery.priority),
        ("template", delivery.template),
        ("created", clock(delivery.created_at, now)),
        ("sent", None if delivery.sent_at is None else clock(delivery.sent_at, now)),
        ("discarded", None if delivery.discarded_at is None else clock(delivery.discarded_at, now)),
        ("trace", delivery.trace_id),
    ]


def _row(delivery: Delivery, now: datetime) -> tuple[object, ...]:
    created = clock(delivery.created_at, now)
    return created, delivery.id, delivery.type, delivery.recipient, delivery.status, why(delivery)


def _briefly(delivery: Delivery, now: datetime) -> str:
    told = why(delivery)
    return f"{delivery.id}\n  {clock(delivery.created_at, now)}  {how(delivery)}{f'; {told}' if told else ''}"


def _attempt(attempt: Attempt) -> tuple[object, ...]:
    took = None
    if attempt.started_at is not None and attempt.finished_at is not None:
        took = f"{(attempt.finished_at - attempt.started_at).total_seconds():.3f} s"
    error = attempt.error if attempt.code is None else f"{attempt.error} ({attempt.code})"
    return attempt.number, attempt.sender, attempt.outcome, took, attempt.provider_message_id, error


def _text(line: str) -> Text:
    return Text(harmless(line))
