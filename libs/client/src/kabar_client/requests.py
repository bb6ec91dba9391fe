"""What is asked of Kabar: pure values, the same for the blocking and the asynchronous client."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

from kabar_client.answers import Accepted, Answer, Delivery, Notification, RowTold, Suppression, Told

T = TypeVar("T")
A = TypeVar("A", bound=Answer)
Paged = tuple[list[A], str | None]
"""Some of a list, and the cursor of what follows."""
Sent = Callable[[int], None]
"""Told how many more bytes of an upload Kabar has; after a failure it begins anew, and is told so with 0 first."""


class Notify(TypedDict, total=False):
    """What `POST /api/notifications` takes beside `type`; docs/api.md says what each means.

    `idempotency_key` is made when it is left out. Give your own to be safe across restarts of your process, too.
    """

    to: str | Sequence[str]
    items: Sequence[Mapping[str, Any]]
    message: str
    data: Mapping[str, Any]
    template: str
    priority: str
    send_at: datetime | str
    validity_seconds: float
    on_unknown: str
    channels: Sequence[str]
    providers: Sequence[str]
    direct: bool
    force: bool
    idempotency_key: str


class DeliveryFilter(TypedDict, total=False):
    """Which deliveries are asked for."""

    notification_id: str
    status: str
    type: str
    recipient: str
    provider: str
    since: datetime | str
    until: datetime | str
    q: str


class DeadFilter(TypedDict, total=False):
    """Which dead deliveries are asked for; `status` is `failed` or `unknown`."""

    status: str
    type: str
    code: str
    provider: str
    notification_id: str
    since: datetime | str
    until: datetime | str


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how its answer is read. Every one may be made again: changes carry an idempotency key. An
    `upload` is only answered once all of it is kept; a file is read anew each time it is made.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    json: Any = None
    content: bytes | Path | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: bool = False
    sent: Sent | None = None


def send(kind: str, asked: Notify) -> Call[Accepted]:
    body: dict[str, Any] = {"type": kind, **{name: _json(value) for name, value in asked.items()}}
    key = body.pop("idempotency_key", None)
    return Call("POST", "/api/notifications", Accepted.model_validate, json=body, headers=key_header(key))


def get_notification(identity: str) -> Call[Notification]:
    return Call("GET", f"/api/notifications/{path_part(identity)}", Notification.model_validate)


def cancel_notification(identity: str) -> Call[Notification]:
    path = f"/api/notifications/{path_part(identity)}/cancel"
    return Call("POST", path, Notification.model_validate, headers=key_header(None))


def get_delivery(identity: str) -> Call[Delivery]:
    return Call("GET", f"/api/deliveries/{path_part(identity)}", Delivery.model_validate)


def act_on_delivery(identity: str, act: str) -> Call[Delivery]:
    return Call(
        "POST", f"/api/deliveries/{path_part(identity)}/{act}", Delivery.model_validate, headers=key_header(None)
    )


def deliveries(asked: DeliveryFilter, cursor: str | None, limit: int) -> Call[Paged[Delivery]]:
    return Call("GET", "/api/deliveries", lambda body: page_of(Delivery, body), query=_filter(asked, cursor, limit))


def dead_deliveries(asked: DeadFilter, cursor: str | None, limit: int) -> Call[Paged[Delivery]]:
    query = _filter(asked, cursor, limit)
    return Call("GET", "/api/dead-deliveries", lambda body: page_of(Delivery, body), query=query)


def suppressions(cursor: str | None, limit: int) -> Call[Paged[Suppression]]:
    return Call("GET", "/api/suppressions", lambda body: page_of(Suppression, body), query=page_query(cursor, limit))


def lift_suppression(named: str) -> Call[None]:
    return Call("DELETE", f"/api/suppressions/{path_part(named)}", lambda _: None, headers=key_header(None))


def put_row(kind: str, identity: str, row: Mapping[str, Any], key: str | None) -> Call[RowTold]:
    path = f"/api/directory/{path_part(kind)}/{path_part(identity)}"
    return Call("PUT", path, RowTold.model_validate, json=_json(row), headers=key_header(key))


def post_rows(kind: str, rows: Sequence[Mapping[str, Any]], key: str | None, *, dry_run: bool) -> Call[Told]:
    return _upload(kind, key_header(key), dry_run=dry_run, json={"items": _json(rows)})


def post_csv(
    kind: str, text: str | bytes | Path, key: str | None, *, dry_run: bool, sent: Sent | None = None
) -> Call[Told]:
    content = text.encode() if isinstance(text, str) else text
    headers = {"Content-Type": "text/csv", **key_header(key)}
    if isinstance(content, Path):
        headers["Content-Length"] = str(content.stat().st_size)
    return _upload(kind, headers, dry_run=dry_run, content=content, sent=sent)


def _upload(kind: str, headers: Mapping[str, str], *, dry_run: bool, **body: Any) -> Call[Told]:
    path, query = f"/api/directory/{path_part(kind)}", {"dry_run": "true"} if dry_run else {}
    return Call("POST", path, Told.model_validate, query=query, headers=headers, upload=True, **body)


def page_of(answer: type[A], body: Any) -> Paged[A]:
    return [answer.model_validate(one) for one in body["items"]], body["next_cursor"]


def page_query(cursor: str | None, limit: int) -> dict[str, str]:
    return {"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})


def _filter(asked: Mapping[str, Any], cursor: str | None, limit: int) -> dict[str, str]:
    return {name: str(_json(value)) for name, value in asked.items()} | page_query(cursor, limit)


def key_header(given: str | None) -> dict[str, str]:
    return {"Idempotency-Key": given or uuid.uuid4().hex}


def path_part(identity: str) -> str:
    return quote(identity, safe="")


def _json(value: Any) -> Any:
    """Moments as ISO 8601, whatever they stand in."""
    match value:
        case datetime():
            return value.isoformat()
        case Mapping():
            return {str(name): _json(one) for name, one in value.items()}
        case list() | tuple():
            return [_json(one) for one in value]
    return value
