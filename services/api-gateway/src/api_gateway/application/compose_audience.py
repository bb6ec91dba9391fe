"""Who of a request's own recipients gets which text."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from api_gateway.application.wordings import Wording
from api_gateway.domain.audience import Audience, channel_of
from api_gateway.domain.channels import Reach
from api_gateway.domain.refusals import Refused, invalid
from api_gateway.domain.submission import Item, Submission, Values
from api_gateway.domain.texts import check_source, check_values
from common.contracts.documents import AudienceMember

AT_ONCE = 200
"""Recipients looked at before other requests get their turn."""
MOST_TEMPLATES = 100
"""Different templates one call may bring: compiling one takes about a millisecond."""


@dataclass(frozen=True)
class ReadItem:
    """An item whose `message` and `data` may stand in a message, or why they may not."""

    to: object
    message: str | None = None
    data: Values | None = None
    refused: Refused | None = None


async def of_recipients(values: Sequence[object], reach: Reach) -> Audience:
    """Everybody who can be reached with the shared text, and everybody else with the reason."""
    audience = Audience(reach)
    for index, value in enumerate(values):
        audience.add(index, value)
        if index % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    return audience


async def of_items(
    items: Sequence[ReadItem],
    wording: Wording,
    reach: Reach,
    *,
    message: str | None = None,
    data: Values | None = None,
) -> Audience:
    """Everybody who can be reached with a text that can be rendered; `message` and `data` are the shared ones."""
    audience = Audience(reach)
    for index, item in enumerate(items):
        _add(audience, index, item, wording, message=message, data=data)
        if index % (AT_ONCE // 4) == AT_ONCE // 4 - 1:
            await asyncio.sleep(0)
    return audience


def read_items(submission: Submission, wording: Wording) -> list[ReadItem]:
    """The items of a free text. Raises `Refused` for what is wrong with the call itself."""
    if submission.message is not None:
        wording.check_source(submission.message)
    _check_variety(submission)
    return [_read(item) for item in submission.items]


def _read(item: Item) -> ReadItem:
    if item.refused is not None:
        return ReadItem(item.to, refused=item.refused)
    try:
        if item.data is not None:
            check_values("data", item.data)
        message = None if item.message is None else check_source("message", item.message)
        return ReadItem(item.to, message, item.data)
    except Refused as refused:
        return ReadItem(item.to, refused=refused)


def _add(
    audience: Audience, index: int, item: ReadItem, wording: Wording, *, message: str | None, data: Values | None
) -> None:
    member: AudienceMember = {"to": ""}
    if item.message is not None:
        member["message"] = item.message
    if item.data is not None:
        member["data"] = dict(item.data)
    try:
        if item.refused is not None:
            raise item.refused
        channel = channel_of(item.to)
        if audience.reach.why_not(channel) is not None:  # rejected, whatever it would be told
            audience.add(index, item.to)
            return
        text = wording.content(member.get("message", message), member.get("data", data), channel)
    except Refused as error:
        field = error.problems[0].field if error.problems else None
        audience.reject(index, item.to, error.code, error.error, field)
        return
    audience.add(index, item.to, member, text if len(member) > 1 else "")


def _check_variety(submission: Submission) -> None:
    with_data = submission.data is not None
    own = {item.message for item in submission.items if item.message and (with_data or item.data is not None)}
    if len({message for message in own if "{" in message}) > MOST_TEMPLATES:
        raise invalid("items", f"more than {MOST_TEMPLATES} different templates; put what differs into data")
