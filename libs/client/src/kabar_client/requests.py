"""What is asked of Kabar: pure values, the same for the blocking and the asynchronous client."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar
from urllib.parse import quote

from kabar_client.answers import Accepted, Delivery, Notification, Suppression, Told

T = TypeVar("T")


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


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request and how its answer is read. Every one may be made again: changes carry an idempotency key. An
    `upload` is only answered once all of it is kept.
    """

    method: str
    path: str
    read: Callable[[Any], T]
    json: Any = None
    content: bytes | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: bool = False


def send(kind: str, asked: Notify) -> Call[Accepted]:
    body: dict[str, Any] = {"type": kind, **{name: _json(value) for name, value in asked.items()}}
    key = body.pop("idempotency_key", None)
    return Call("POST", "/api/notifications", Accepted.model_validate, json=body, headers=_key(key))


def get_notification(identity: str) -> Call[Notification]:
    return Call("GET", f"/api/notifications/{_part(identity)}", Notification.model_validate)


def cancel_notification(identity: str) -> Call[Notification]:
    path = f"/api/notifications/{_part(identity)}/cancel"
    return Call("POST", path, Notification.model_validate, headers=_key(None))


def get_delivery(identity: str) -> Call[Delivery]:
    return Call("GET", f"/api/deliveries/{_part(identity)}", Delivery.model_validate)


def act_on_delivery(identity: str, act: str) -> Call[Delivery]:
    return Call("POST", f"/api/deliveries/{_part(identity)}/{act}", Delivery.model_validate, headers=_key(None))


def deliveries(asked: DeliveryFilter, cursor: str | None, limit: int) -> Call[tuple[list[Delivery], str | None]]:
    query = {name: str(_json(value)) for name, value in asked.items()} | {"limit": str(limit)}
    if cursor is not None:
        query["cursor"] = cursor
    return Call("GET", "/api/deliveries", _delivery_page, query=query)


def suppressions(cursor: str | None, limit: int) -> Call[tuple[list[Suppression], str | None]]:
    query = {"limit": str(limit)} | ({} if cursor is None else {"cursor": cursor})
    return Call("GET", "/api/suppressions", _suppression_page, query=query)


def lift_suppression(named: str) -> Call[None]:
    return Call("DELETE", f"/api/suppressions/{_part(named)}", lambda _: None, headers=_key(None))


def put_row(kind: str, identity: str, row: Mapping[str, Any], key: str | None) -> Call[Told]:
    path = f"/api/directory/{_part(kind)}/{_part(identity)}"
    return Call("PUT", path, Told.model_validate, json=_json(row), headers=_key(key))


def post_rows(kind: str, rows: Sequence[Mapping[str, Any]], key: str | None, *, dry_run: bool) -> Call[Told]:
    return _upload(kind, _key(key), dry_run=dry_run, json={"items": _json(rows)})


def post_csv(kind: str, text: str | bytes, key: str | None, *, dry_run: bool) -> Call[Told]:
    content = text.encode() if isinstance(text, str) else text
    return _upload(kind, {"Content-Type": "text/csv", **_key(key)}, dry_run=dry_run, content=content)


def _upload(kind: str, headers: Mapping[str, str], *, dry_run: bool, **body: Any) -> Call[Told]:
    path, query = f"/api/directory/{_part(kind)}", {"dry_run": "true"} if dry_run else {}
    return Call("POST", path, Told.model_validate, query=query, headers=headers, upload=True, **body)


def _delivery_page(body: Any) -> tuple[list[Delivery], str | None]:
    return [Delivery.model_validate(one) for one in body["items"]], body["next_cursor"]


def _suppression_page(body: Any) -> tuple[list[Suppression], str | None]:
    return [Suppression.model_validate(one) for one in body["items"]], body["next_cursor"]


def _key(given: str | None) -> dict[str, str]:
    return {"Idempotency-Key": given or uuid.uuid4().hex}


def _part(identity: str) -> str:
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
