"""What a provider's answer to one call means."""

from dataclasses import dataclass

from common.contracts.vocabulary import FailureClass


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message. `quota_remaining`: messages left on the sender, where the answer says it."""

    provider_message_id: str | None = None
    quota_remaining: int | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The provider certainly did not take the message; `error` is what it said, or what kept us from asking."""

    failure: FailureClass
    error: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether the provider took the message; `error` says why.

    `provider_message_id`: what it would call the message, where the answer says so much.
    """

    error: str
    provider_message_id: str | None = None


Answer = Accepted | Refused | Unknown


class Missed(Exception):  # noqa: N818 - failures are adjectives here
    """The call's moment has passed; it was never made."""
