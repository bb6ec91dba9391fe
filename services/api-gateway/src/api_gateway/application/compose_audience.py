"""Find out who gets which text, before anything is stored."""

import asyncio

from api_gateway.domain.audience import Audience
from api_gateway.domain.refusals import Refused, invalid
from api_gateway.domain.submission import Item, Submission
from api_gateway.domain.texts import check_otp, check_source, check_text, check_values
from common.contracts.documents import AudienceMember
from common.contracts.vocabulary import NotificationType
from common.kernel.phone import is_group
from common.rendering.failures import Unrenderable
from common.rendering.messages import render_notification
from common.rendering.template import check

AT_ONCE = 200
"""Recipients looked at before other requests get their turn."""
MOST_TEMPLATES = 100
"""Different templates one call may bring: compiling one takes about a millisecond."""


async def compose_audience(submission: Submission, validity_seconds: float) -> Audience:
    """Everybody who can be reached with a text that can be rendered, and everybody else with the reason.

    Raises `Refused` for what is wrong with the call itself, and when nobody is left.
    """
    if submission.type is NotificationType.OTP:
        _check_otp_call(submission)
    if submission.data is not None:
        check_values("data", submission.data)
    if submission.items:
        audience = await _of_items(submission, validity_seconds)
    else:
        _text(submission.type, submission.message, submission.data, validity_seconds)
        audience = await _of_recipients(submission)
    audience.demand_somebody()
    if submission.type is NotificationType.OTP and is_group(audience.members[0]["to"]):
        raise invalid("to", "an otp goes to one person, not to a group")
    if submission.direct and (len(audience.members) != 1 or submission.items):
        raise invalid("direct", "a direct send has exactly one recipient, in to")
    return audience


def _check_otp_call(submission: Submission) -> None:
    if submission.items or len(submission.to) != 1:
        raise invalid("items" if submission.items else "to", "an otp goes to exactly one number")
    if submission.message is not None:
        raise invalid("message", "an otp has its own text; leave message out")
    check_otp(submission.data)


async def _of_recipients(submission: Submission) -> Audience:
    audience = Audience()
    for index, value in enumerate(submission.to):
        audience.add(index, value)
        if index % AT_ONCE == AT_ONCE - 1:
            await asyncio.sleep(0)
    return audience


async def _of_items(submission: Submission, validity_seconds: float) -> Audience:
    if submission.message is not None:
        check_source("message", submission.message)
        _check_template(submission.message)
    _check_variety(submission)
    audience = Audience()
    for index, item in enumerate(submission.items):
        _add_item(audience, index, item, submission, validity_seconds)
        if index % (AT_ONCE // 4) == AT_ONCE // 4 - 1:
            await asyncio.sleep(0)
    return audience


def _add_item(audience: Audience, index: int, item: Item, submission: Submission, validity_seconds: float) -> None:
    member: AudienceMember = {"to": ""}
    try:
        if item.message is not None:
            member["message"] = check_source("message", item.message)
        if item.data is not None:
            check_values("data", item.data)
            member["data"] = dict(item.data)
        message = member.get("message", submission.message)
        text = _text(submission.type, message, member.get("data", submission.data), validity_seconds)
    except Refused as error:
        audience.reject(index, item.to, error.code, error.error)
        return
    audience.add(index, item.to, member, text if len(member) > 1 else "")


def _text(
    notification_type: NotificationType, message: str | None, data: object, validity_seconds: float
) -> str:  # fmt: skip
    """The text as it will be sent; raises `Refused` when it cannot be."""
    field = "message"
    if notification_type is NotificationType.CUSTOM:
        if message is None:
            raise invalid(field, "needed: the text to send")
        check_source(field, message)
    else:
        field = "data"
    values = data if isinstance(data, dict) else None
    try:
        text = render_notification(notification_type, message=message, data=values, validity_seconds=validity_seconds)
    except Unrenderable as error:
        raise invalid(field, str(error)) from error
    check_text(field, text)
    return text


def _check_template(source: str) -> None:
    try:
        check(source)
    except Unrenderable as error:
        raise invalid("message", str(error)) from error


def _check_variety(submission: Submission) -> None:
    with_data = submission.data is not None
    own = {item.message for item in submission.items if item.message and (with_data or item.data is not None)}
    if len({message for message in own if "{" in message}) > MOST_TEMPLATES:
        raise invalid("items", f"more than {MOST_TEMPLATES} different templates; put what differs into data")
