"""What differs from one HTTP provider to the next: how a call is written and how an answer reads."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from common.contracts.events import AttemptRequest
from common.contracts.vocabulary import FailureClass
from gateway.domain.account import Account
from gateway.domain.answer import Answer

Patterns = Sequence[tuple[str, FailureClass]]
"""Lower-case parts of a refusal's text and what each means; the first that occurs decides."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request, ready to be written; `headers` hold the credential."""

    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    method: str = "POST"


class Dialect(Protocol):
    """How one provider is spoken to. Pure: it neither waits nor calls."""

    def write(self, account: Account, request: AttemptRequest) -> Call:
        """The call that asks for this message. Raises `Unsendable` for what the provider would misread."""
        ...

    def read(self, content: Mapping[str, Any]) -> Answer | None:
        """What the JSON object of an answer says; `None` when it is neither a success nor a refusal."""
        ...

    def trace(self, body: bytes) -> str | None:
        """The message id in an answer that cannot be read as a whole."""
        ...


class Unsendable(Exception):  # noqa: N818 - failures are adjectives here
    """The attempt cannot be put in the provider's words; the text says why."""


def classify(text: str, patterns: Patterns) -> FailureClass:
    """The class of a refusal by what it says."""
    said = text.lower()
    return next((failure for part, failure in patterns if part in said), FailureClass.UNCLASSIFIED)


def says_true(value: Any) -> bool:
    """Whether a status is a yes: providers write it as a boolean and as text."""
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def says_false(value: Any) -> bool:
    """Whether a status is a no."""
    return value is False or (isinstance(value, str) and value.strip().lower() == "false")


def first_text(content: Mapping[str, Any], *keys: str) -> str | None:
    """The first of these fields that holds words."""
    return next((value for key in keys if isinstance(value := content.get(key), str) and value.strip()), None)


def identity(value: Any) -> str | None:
    """A provider's message id as text, whether it came as a number or as a string."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def whole_number(value: Any) -> int | None:
    """A count that came as a number or as digits; `None` for anything else, such as `unlimited`."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and value.strip().isdecimal() else None
