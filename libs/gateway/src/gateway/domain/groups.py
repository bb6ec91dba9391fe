"""The WhatsApp groups a device is in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """`identity` as we store it, with `@g.us`."""

    identity: str
    name: str


class NoGroups(Exception):  # noqa: N818 - failures are adjectives here
    """The provider did not tell its groups; the text says why."""
