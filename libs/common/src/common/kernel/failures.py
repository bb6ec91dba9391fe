"""The failures a handler may raise, and what the shared consumer makes of them.

- `Transient`: something we lean on is away; the same work is done again shortly, for as long as it takes.
- `Permanent`: this envelope can never be handled; it is parked with the reason.
- anything else: a defect; tried a few times, then parked.

`Outdated` is for whoever decides on what he has read: he reads again and decides anew.
"""


class Transient(Exception):  # noqa: N818 - failures are adjectives here
    """A dependency did not answer; the same work succeeds once it is back."""


class Permanent(Exception):  # noqa: N818 - failures are adjectives here
    """Can never succeed as it is; a person has to look at it."""


class Outdated(Exception):  # noqa: N818 - failures are adjectives here
    """Somebody else changed it since it was read; nothing was written."""
