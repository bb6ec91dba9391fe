"""What a mail server's replies mean: RFC 5321 codes, RFC 3463 enhanced ones, and a few words all servers use.

A reply below 400 lets the exchange go on. 4xx is a no for now, 5xx a no for good; whose fault it is depends on what
was asked (`Step`) and on the enhanced code, which is more exact where there is one.
"""

import re
from enum import StrEnum

from common.contracts.vocabulary import FailureClass
from gateway.domain.answer import Accepted, Answer, Refused, Unknown

_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})\b")

_ADDRESS = re.compile(r"\S*@\S*")
"""A domain may well hold a word that means something."""


class Step(StrEnum):
    """What the server replies to."""

    LOGIN = "login"
    SENDER = "MAIL FROM"
    RECIPIENT = "RCPT TO"
    DATA = "DATA"
    CONTENT = "the message"


REFUSED_FOR_GOOD = {
    Step.LOGIN: FailureClass.AUTH,
    Step.SENDER: FailureClass.AUTH,  # we may not write as this sender: so with every mail
    Step.RECIPIENT: FailureClass.RECIPIENT,
    Step.DATA: FailureClass.MESSAGE,
    Step.CONTENT: FailureClass.MESSAGE,
}
"""Unless the reply says more."""
ENHANCED = (
    ("5.4.5", FailureClass.QUOTA),  # Google: daily sending limit
    ("5.7.8", FailureClass.AUTH),
    ("5.1.", FailureClass.RECIPIENT),
    ("5.2.", FailureClass.RECIPIENT),
    ("5.5.", FailureClass.BUG),
)
"""By their beginnings, at the recipient and after."""
WORDS = (
    ("sending limit", FailureClass.QUOTA),
    ("sending quota", FailureClass.QUOTA),
    ("quota exceeded for sender", FailureClass.QUOTA),
    ("authentication required", FailureClass.AUTH),
    ("authenticate", FailureClass.AUTH),
    ("relay", FailureClass.AUTH),
)
"""Lower-case parts of what is said with a 5xx; the first that occurs decides."""
NOT_LOGGED_IN = frozenset({530, 534, 535, 538})
MISUSED = frozenset({500, 502, 503, 504})


def refusal(step: Step, code: int, text: str) -> Refused:
    """What a reply means that is not a yes: the mail was certainly not taken."""
    said = _said(step, code, text)
    if 400 <= code < 500:
        return Refused(FailureClass.TRANSPORT, said)
    if code < 400:
        return Refused(FailureClass.UNCLASSIFIED, said)
    return Refused(_class_of(step, code, text), said)


def verdict(code: int, text: str, identity: str) -> Answer:
    """What the reply to the whole message means."""
    if 200 <= code < 300:
        return Accepted(identity)
    if 400 <= code < 600:
        return refusal(Step.CONTENT, code, text)
    return Unknown(_said(Step.CONTENT, code, text), identity)


def readable(text: str) -> str:
    """On one line, and without the halves of characters that a server's other encoding leaves behind."""
    return " ".join(text.split()).encode("utf-8", "replace").decode()


def _said(step: Step, code: int, text: str) -> str:
    return f"{step}: {code} {readable(text)}".rstrip()


def _class_of(step: Step, code: int, text: str) -> FailureClass:
    if code in NOT_LOGGED_IN:
        return FailureClass.AUTH
    enhanced = _ENHANCED.match(text)
    if enhanced and step not in {Step.LOGIN, Step.SENDER}:
        for beginning, failure in ENHANCED:
            if enhanced[1].startswith(beginning):
                return failure
    said = _ADDRESS.sub("", text.lower())
    for part, failure in WORDS:
        if part in said:
            return failure
    return FailureClass.BUG if code in MISUSED else REFUSED_FOR_GOOD[step]
