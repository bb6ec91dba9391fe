"""Whether the directory knows an administrator who can be told something."""

import contextlib
from collections.abc import Callable, Iterable

from common.contracts.reachable import Reachable
from common.contracts.vocabulary import Role
from common.kernel.email import InvalidEmail, normalise_email
from common.kernel.phone import InvalidPhone, normalise_recipient
from common.mongo.directory import Directory
from common.mongo.suppressions import Suppressions


class Administrators:
    """`number`: who is told by WhatsApp while no administrator can be."""

    def __init__(self, directory: Directory, suppressions: Suppressions, number: str | None) -> None:
        self._directory = directory
        self._suppressions = suppressions
        self._number = number

    async def reachable(self, *, suppressible: bool) -> Reachable:
        """`suppressible`: whether what they are to be told is kept from those who opted out."""
        admins = await self._directory.staff([Role.ADMIN])
        phones = _spelled(normalise_recipient, (one.get("phone") for one in admins))
        emails = _spelled(normalise_email, (one.get("email") for one in admins))
        stand_in = set() if self._number is None else {self._number}
        refused = await self._suppressions.among(phones | emails | stand_in) if suppressible else {}
        number = None if self._number in refused else self._number
        return Reachable(bool(phones - refused.keys()), bool(emails - refused.keys()), number)


def _spelled(normalise: Callable[[str], str], addresses: Iterable[str | None]) -> set[str]:
    """As deliveries and suppressions are, without those nobody is reached by."""
    spelled = set()
    for address in addresses:
        if address is not None:
            with contextlib.suppress(InvalidEmail, InvalidPhone):
                spelled.add(normalise(address))
    return spelled
