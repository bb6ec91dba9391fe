"""Which of our senders a provider means when it names a device."""

import asyncio
import time
from collections.abc import Callable

from common.kernel.failures import Transient
from common.telemetry.logs import logger
from gateway.application.ports import Accounts, Asking
from gateway.domain.account import Account
from gateway.domain.enquiries import Enquiries, plain

ASK_EVERY = 60.0
"""Seconds; a device nobody knows makes us ask no more often."""
ASK_AGAIN = 5.0
"""Seconds; the same for an account that did not answer."""
log = logger()


class KnowDevices:
    """Asks each account which device it is, the first time one is named that is not known."""

    def __init__(
        self,
        accounts: Accounts,
        asking: Asking,
        enquiries: Enquiries,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._accounts = accounts
        self._asking = asking
        self._enquiries = enquiries
        self._monotonic = monotonic
        self._known: dict[str, str] = {}
        self._told: set[str] = set()
        self._next: dict[str, float] = {}
        self._silent: set[str] = set()
        self._turn = asyncio.Lock()

    async def sender_of(self, device: str | None) -> str | None:
        """The sender; `None` when the device is none of ours. Raises `Transient` while an account cannot be asked."""
        if device:
            async with self._turn:
                if plain(device) not in self._known:
                    await self._ask()
            found = self._known.get(plain(device))
            if found is not None:
                return found
        # One account that does not say which device it is can only be the one that is named.
        untold = [sender for sender in self._accounts if sender not in self._told or not device]
        if len(untold) == 1:
            return untold[0]
        if device and self._silent:
            raise Transient(f"{len(self._silent)} accounts do not say which device they are")
        return None

    async def _ask(self) -> None:
        now = self._monotonic()
        due = [account for account in self._accounts.values() if now >= self._next.get(account.sender, now)]
        await asyncio.gather(*map(self._ask_one, due))

    async def _ask_one(self, account: Account) -> None:
        sender = account.sender
        try:
            names = self._enquiries.read_device(await self._asking.ask(self._enquiries.device(account))).names
        except Transient as error:
            log.warning("device.not_told", sender=sender, error=str(error))
            self._silent.add(sender)
            self._next[sender] = self._monotonic() + ASK_AGAIN
            return
        self._silent.discard(sender)
        self._next[sender] = self._monotonic() + ASK_EVERY
        if names:
            self._told.add(sender)
        self._known |= {plain(name): sender for name in names}
