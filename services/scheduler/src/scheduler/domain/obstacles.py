"""Why somebody is not told something."""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from common.contracts.vocabulary import Channel, SuppressionReason
from common.kernel.email import InvalidEmail, normalise_email

Row = Mapping[str, Any]


class Obstacle(StrEnum):
    """Besides a suppression, which says so itself."""

    SWITCHED_OFF = "type_switched_off"
    NO_CUSTOMER = "no_customer"
    NO_NUMBER = "no_number"
    MAIL_OFF = "mail_off"
    NO_RECIPIENT = "no_recipient"
    ALREADY = "already_dispatched"
    WARNED_LATELY = "warned_lately"


ADDRESSES = {Channel.WHATSAPP: "phone", Channel.EMAIL: "email"}
"""The field of a row a channel reaches a person by."""
UNWANTED = frozenset({SuppressionReason.OPT_OUT, SuppressionReason.BLOCKED})
"""Suppressions of a person: who wants nothing by one channel is not written to by the other either."""


def addresses(person: Row, channels: Collection[Channel]) -> list[str]:
    """Where a person is reached, by those channels that reach them at all; spelled as deliveries and suppressions are,
    which rows of before are not.
    """
    reached = [_spelled(one, person[ADDRESSES[one]]) for one in channels if person.get(ADDRESSES[one]) is not None]
    return [one for one in reached if one is not None]


def obstacle(
    person: Row | None, channels: Collection[Channel], suppressed: Mapping[str, str], *, mail_is_on: bool
) -> str | None:
    """Why a person is not told; `None` when they can be, by a channel. `suppressed`: reasons by address."""
    if person is None:
        return Obstacle.NO_CUSTOMER
    known = addresses(person, channels)
    if not known:
        return Obstacle.NO_NUMBER
    unwanted = next((suppressed[one] for one in known if suppressed.get(one) in UNWANTED), None)
    if unwanted is not None:
        return unwanted
    reached = addresses(person, [one for one in channels if one is not Channel.EMAIL or mail_is_on])
    if not reached:
        return Obstacle.MAIL_OFF
    refused = [suppressed[one] for one in reached if one in suppressed]
    return refused[0] if len(refused) == len(reached) else None


def _spelled(channel: Channel, address: str) -> str | None:
    try:
        return normalise_email(address) if channel is Channel.EMAIL else address
    except InvalidEmail:  # nobody is reached by it
        return None
