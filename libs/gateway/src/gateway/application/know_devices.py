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
        self._asked_at: float | None = None
        self._turn = asyncio.Lock()

    async def sender_of(self, device: str | None) -> str | None:
        """The sender; `None` when the device is none of ours."""
        if device:
            async with self._turn:
                if plain(device) not in self._known:
                    await self._ask()
            found = self._known.get(plain(device))
            if found is not None:
                return found
        # One account that does not say which device it is can only be the one that is named.
        untold = [sender for sender in self._accounts if sender not in self._told or not device]
        return untold[0] if len(untold) == 1 else None

    async def _ask(self) -> None:
        now = self._monotonic()
        if self._asked_at is not None and now - self._asked_at < ASK_EVERY:
            return
        self._asked_at = now
        await asyncio.gather(*map(self._ask_one, self._accounts.values()))

    async def _ask_one(self, account: Account) -> None:
        try:
            names = self._enquiries.read_device(await self._asking.ask(self._enquiries.device(account)))
        except Transient as error:
            log.warning("device.not_told", sender=account.sender, error=str(error))
            return
        if names:
            self._told.add(account.sender)
        self._known |= {plain(name): account.sender for name in names}
