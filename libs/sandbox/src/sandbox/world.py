"""The whole simulated world: one ledger, the devices of each provider, the faults in force."""

import os
import time
import uuid
from typing import TYPE_CHECKING

from sandbox.devices import fonnte_devices, wablas_devices
from sandbox.faults.plan import FaultPlan
from sandbox.faults.recipients import recipient_faults
from sandbox.fonnte.dialect import FonnteVariants
from sandbox.fonnte.provider import Fonnte
from sandbox.ledger import Ledger, ProviderName
from sandbox.transit import Transit
from sandbox.wablas.dialect import WablasVariants
from sandbox.wablas.provider import Wablas

if TYPE_CHECKING:
    from sandbox.settings import Settings


class World:
    """Everything that one sandbox process knows. Nothing survives the process."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.ledger = Ledger()
        self.faults = FaultPlan(recipient_faults(), settings.recipient_faults)
        # Ids must not repeat between two sandboxes started one after the other: a client may have kept the first's.
        first_id = int(time.time() * 10_000)
        family = str(uuid.UUID(bytes=os.urandom(16), version=4))[:24]
        self.fonnte = Fonnte(
            fonnte_devices(ProviderName.FONNTE, settings.fonnte_tokens),
            settings.fonnte_account_token,
            self.ledger,
            Transit(self.ledger, lambda index: str(first_id + index)),
        )
        self.wablas = Wablas(
            wablas_devices(ProviderName.WABLAS, settings.wablas_tokens),
            self.ledger,
            Transit(self.ledger, lambda index: f"{family}{index:012x}"),
        )

    def provider(self, name: ProviderName) -> Fonnte | Wablas:
        return self.fonnte if name is ProviderName.FONNTE else self.wablas

    def reset(self) -> None:
        """Empty ledger, no faults, every device connected with a large quota, every variant as at the start."""
        self.ledger.clear()
        self.faults.disarm()
        self.faults.recipient_faults = self._settings.recipient_faults
        self.fonnte.devices.restore()
        self.wablas.devices.restore()
        self.fonnte.variants = FonnteVariants()
        self.wablas.variants = WablasVariants()
