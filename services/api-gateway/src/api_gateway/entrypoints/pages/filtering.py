"""What somebody looks for, as a form sends it and an address keeps it, and the page of what fits."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import Response

from api_gateway.application.ports import Selection
from api_gateway.domain.moments import day, span
from api_gateway.domain.refusals import Refused, invalid
from api_gateway.entrypoints import views
from api_gateway.entrypoints.deliveries import known_provider
from api_gateway.entrypoints.pages.rendering import render
from api_gateway.entrypoints.paging import after_cursor, cursor_after
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import Channel, DeliveryStatus, NotificationType
from common.topology.declarations import GATEWAYS

ON_A_PAGE = 50
NAMES = ("q", "status", "type", "channel", "provider", "code", "since", "until", "notification_id")
Word = TypeVar("Word", bound=StrEnum)


@dataclass(frozen=True)
class Wanted:
    """The filled in fields, by name."""

    fields: Mapping[str, str]
    cursor: str | None

    def __getitem__(self, name: str) -> str:
        return self.fields.get(name, "")

    def older(self, found: Sequence[DeliveryDocument]) -> str | None:
        """What asks for the page after this one."""
        if len(found) < ON_A_PAGE:
            return None
        return urlencode({**self.fields, "cursor": cursor_after(found[-1]["_id"]) or ""})


def wanted(request: Request) -> Wanted:
    given = request.query_params
    fields = {name: given[name].strip()[:200] for name in NAMES if given.get(name, "").strip()}
    return Wanted(fields, given.get("cursor"))


def selection(
    request: Request, asked: Wanted, *, statuses: Sequence[DeliveryStatus] = (), dead: bool = False
) -> Selection:
    """Raises `Refused` naming the field that makes no sense. `statuses` unless the form names one."""
    status = _word("status", asked["status"], DeliveryStatus)
    kind, channel = _word("type", asked["type"], NotificationType), _word("channel", asked["channel"], Channel)
    begins, ends = span(asked["since"] or None, _end("until", asked["until"]), uses(request).zone)
    return Selection(
        statuses=statuses if status is None else (status,),
        notification_id=asked["notification_id"] or None,
        type=kind,
        channel=channel,
        provider=known_provider(asked["provider"] or None),
        code=asked["code"] or None,
        since=begins,
        until=ends,
        before=after_cursor(asked.cursor, "dlv_"),
        dead=dead,
        limit=ON_A_PAGE,
    )


def _end(name: str, written: str) -> str | None:
    """A day is meant to its end; after the last one there is nothing to leave out."""
    if not written:
        return None
    last = day(name, written)
    return None if last == date.max else (last + timedelta(days=1)).isoformat()


async def listed(
    request: Request, template: str, asked: Wanted, chosen: Callable[[], Selection], **choices: Sequence[StrEnum]
) -> Response:
    """The deliveries that are chosen, the newest first, or what makes no sense about the choice."""
    found: list[DeliveryDocument] = []
    refused: Refused | None = None
    try:
        found = await uses(request).deliveries.page(chosen())
    except Refused as error:
        refused = error
    values = {
        "asked": asked,
        "items": [views.delivery(one) for one in found],
        "older": asked.older(found),
        "types": list(NotificationType),
        "providers": list(GATEWAYS),
        **choices,
    }
    return render(request, template, values, refused=refused)


def _word(name: str, value: str, words: type[Word]) -> Word | None:
    if not value:
        return None
    try:
        return words(value)
    except ValueError as error:
        raise invalid(name, f"known are {', '.join(words)}") from error
