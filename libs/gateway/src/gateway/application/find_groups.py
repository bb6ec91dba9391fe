"""Look up the WhatsApp groups of a sender and store what is found."""

from collections.abc import Sequence
from typing import Protocol

from common.contracts.events import EnquiriesRequested
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.telemetry.logs import clean, logger
from gateway.application.ports import Accounts, Asking
from gateway.domain.enquiries import Enquiries
from gateway.domain.groups import FoundGroup, NoGroups

log = logger()


class Groups(Protocol):
    async def ask(self, sender: str) -> None:
        """Note that the provider is asked from now on."""
        ...

    async def found(self, sender: str, groups: Sequence[FoundGroup]) -> None:
        """Store those that are new, and that the look-up is over."""
        ...

    async def not_found(self, sender: str, error: str) -> None:
        """Note that the look-up failed."""
        ...


class FindGroups:
    def __init__(
        self, accounts: Accounts, *, asking: Asking, enquiries: Enquiries, groups: Groups, clock: Clock
    ) -> None:
        self._accounts = accounts
        self._asking = asking
        self._enquiries = enquiries
        self._groups = groups
        self._clock = clock

    async def __call__(self, asked: EnquiriesRequested) -> None:
        for sender in asked.groups_of:
            if self._clock.now() >= asked.deadline:
                return  # whoever asked has gone; the provider is asked as seldom as possible
            await self._groups.ask(sender)
            try:
                found = await self._find(sender)
            except (NoGroups, Transient) as error:
                log.warning("groups.not_found", sender=sender, error=str(error))
                await self._groups.not_found(sender, clean(str(error)))
            else:
                log.info("groups.found", sender=sender, groups=len(found))
                await self._groups.found(sender, found)

    async def _find(self, sender: str) -> Sequence[FoundGroup]:
        account = self._accounts.get(sender)
        if account is None:
            raise NoGroups(f"no token configured for {sender}")
        found: Sequence[FoundGroup] = ()
        for call in self._enquiries.groups(account):
            found = self._enquiries.read_groups(await self._asking.ask(call))
        return found
