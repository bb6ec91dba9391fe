"""What an exchange means that brought no provider's word: HTTP statuses and broken connections.

The rule: a provider that cannot have read the whole request did not take the message; one that may have, may have.
"""

from http import HTTPStatus

from common.contracts.vocabulary import FailureClass
from gateway.domain.answer import Answer, Refused, Unknown

NOT_FORWARDED = frozenset({502, 503, 521, 522, 523})
"""A proxy saying that it could not reach the provider: nothing was accepted."""
NOT_NOW = frozenset({408, 425, 429})
"""Refused for a reason that has nothing to do with the message."""

MEANINGS = {400: FailureClass.BUG, 401: FailureClass.AUTH, 403: FailureClass.AUTH}
"""What asking again cannot mend."""


def answer_without_word(status: int, body_kind: str) -> Answer:
    """The meaning of an answer in which the provider said nothing we know; `body_kind` describes its body."""
    said = f"HTTP {status} {_phrase(status)} with {body_kind}"
    if status in NOT_FORWARDED or status in NOT_NOW:
        return Refused(FailureClass.TRANSPORT, said)
    if 300 <= status < 500:
        return Refused(MEANINGS.get(status, FailureClass.UNCLASSIFIED), said)
    return Unknown(said)


def broken_exchange(reason: str, *, may_have_arrived: bool) -> Answer:
    """The meaning of an exchange that ended without an answer."""
    return Unknown(reason) if may_have_arrived else Refused(FailureClass.TRANSPORT, reason)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(no standard status)"
