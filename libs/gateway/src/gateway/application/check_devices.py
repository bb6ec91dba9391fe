"""Look how the devices of our senders are, and keep what their provider says."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from common.contracts.events import EnquiriesRequested, SenderReported
from common.contracts.vocabulary import FailureClass
from common.kernel.clock import Clock
from common.kernel.failures import Transient
from common.telemetry.logs import clean, logger
from gateway.application.ports import Accounts, KnownDevices, News
from gateway.domain.account import Account
from gateway.domain.answer import Refused
from gateway.domain.device import Device

ERROR_CHARS = 300
AWAY = frozenset({FailureClass.DISCONNECTED, FailureClass.AUTH})
"""Refusals of this question after which sending would be refused, too."""
Look = Callable[[Account], Awaitable[Device]]
"""How the device behind an account is, by its provider's word. Raises `Transient` when there is none."""
log = logger()


class Devices(KnownDevices, Protocol):
    async def begin(self, sender: str, at: datetime) -> bool:
        """Note that the provider is asked now; `False` when it was a moment ago, by whomever."""
        ...

    async def told(self, sender: str, device: Device, *, asked_at: datetime, answered_at: datetime) -> None:
        """Keep what it answered."""
        ...

    async def silent(self, sender: str, error: str, *, answered_at: datetime) -> None:
        """Note that asking brought nothing."""
        ...


class CheckDevices:
    """What the answers say of senders is told like any other word of their provider."""

    def __init__(self, accounts: Accounts, *, look: Look, devices: Devices, news: News, clock: Clock) -> None:
        self._accounts = accounts
        self._look = look
        self._devices = devices
        self._news = news
        self._clock = clock

    async def __call__(self, asked: EnquiriesRequested) -> None:
        accounts = [self._accounts[sender] for sender in asked.devices_of if sender in self._accounts]
        await asyncio.gather(*(self._check(account, asked) for account in accounts))

    async def _check(self, account: Account, asked: EnquiriesRequested) -> None:
        sender, asked_at = account.sender, self._clock.now()
        if asked_at >= asked.deadline or not await self._devices.begin(sender, asked_at):
            return
        try:
            device = await self._look(account)
        except Transient as error:
            log.warning("device.not_told", sender=sender, error=str(error))
            await self._devices.silent(sender, clean(str(error))[:ERROR_CHARS], answered_at=self._clock.now())
            return
        await self._tell(asked.provider, sender, device, asked_at)
        await self._keep(sender, device, asked_at)

    async def _tell(self, provider: str, sender: str, device: Device, asked_at: datetime) -> None:
        refused = device.refused
        if device.connected is None and (refused is None or refused.failure not in AWAY):
            return
        if device.connected and device.quota == 0:
            return  # it is there and can send nothing: that brings nobody back
        await self._news.reported(
            SenderReported(
                provider=provider,
                sender=sender,
                connected=bool(device.connected),
                reason=_cleaned(refused),
                at=asked_at,
                failure=refused.failure if refused else None,
                checked=True,
            )
        )

    async def _keep(self, sender: str, device: Device, asked_at: datetime) -> None:
        reason = _cleaned(device.refused)
        log.info("device.checked", sender=sender, connected=device.connected, quota=device.quota, refused=reason)
        if device.refused is None:
            await self._devices.told(sender, device, asked_at=asked_at, answered_at=self._clock.now())
            return
        if device.connected is False or device.refused.failure is FailureClass.DISCONNECTED:
            await self._devices.said(sender, connected=False, at=asked_at)
        await self._devices.silent(sender, reason or "", answered_at=self._clock.now())


def _cleaned(refused: Refused | None) -> str | None:
    return clean(refused.error[: 3 * ERROR_CHARS])[:ERROR_CHARS] if refused else None
