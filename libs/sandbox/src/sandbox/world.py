"""The whole simulated world: one ledger, the devices of each provider, the faults in force."""

import os
import time
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.clock import Clock
from sandbox.devices import fonnte_devices, wablas_devices
from sandbox.faults.plan import FaultPlan
from sandbox.faults.recipients import recipient_faults
from sandbox.fonnte import events as fonnte_events
from sandbox.fonnte.dialect import FonnteVariants
from sandbox.fonnte.provider import Fonnte
from sandbox.ledger import OF_WHATSAPP, Ledger, MessageState, ProviderName
from sandbox.mail.server import PostOffice
from sandbox.transit import Identities, Transit, counting_from, in_uuid_family
from sandbox.wablas import events as wablas_events
from sandbox.wablas.dialect import WablasVariants
from sandbox.wablas.provider import Wablas
from sandbox.webhooks.courier import Courier

if TYPE_CHECKING:
    from sandbox.devices import Device
    from sandbox.ledger import Message
    from sandbox.settings import Settings

EVENTS: dict[ProviderName, Any] = {ProviderName.FONNTE: fonnte_events, ProviderName.WABLAS: wablas_events}
LATER_STATES = {"delivered": MessageState.DELIVERED, "read": MessageState.READ}


class World:
    """Everything that one sandbox process knows. Nothing survives the process."""

    def __init__(self, settings: "Settings") -> None:
        self._settings = settings
        self.ledger = Ledger()
        self.clock = Clock()
        self.faults = FaultPlan(recipient_faults(), settings.recipient_faults)
        self.post = PostOffice(self.ledger, self.faults)
        self.mail_address = (settings.http_host, settings.mail_port)
        self.couriers = {name: Courier(name, self.clock, self.ledger.bell) for name in OF_WHATSAPP}
        # Ids must not repeat between two sandboxes started one after the other: a client may have kept the first's.
        self.fonnte = Fonnte(
            fonnte_devices(ProviderName.FONNTE, settings.fonnte_tokens),
            settings.fonnte_account_token,
            self.ledger,
            self._transit(counting_from(int(time.time() * 10_000))),
        )
        self.wablas = Wablas(
            wablas_devices(ProviderName.WABLAS, settings.wablas_tokens),
            self.ledger,
            self._transit(in_uuid_family(str(uuid.UUID(bytes=os.urandom(16), version=4))[:24])),
        )
        for device in [*self.fonnte.devices, *self.wablas.devices]:
            device.changed = self._device_changed

    def provider(self, name: ProviderName) -> Fonnte | Wablas:
        return self.fonnte if name is ProviderName.FONNTE else self.wablas

    def reset(self) -> None:
        """Empty ledger, no faults, no webhooks, devices connected with a large quota, variants as at the start."""
        for courier in self.couriers.values():
            courier.unsubscribe()
        for name in OF_WHATSAPP:
            self.provider(name).transit.clear()
            self.provider(name).devices.restore()
        self.ledger.clear()
        self.post.mailbox.clear()
        self.clock.reset()
        self.faults.disarm()
        self.faults.recipient_faults = self._settings.recipient_faults
        self.fonnte.variants = FonnteVariants()
        self.wablas.variants = WablasVariants()

    def _transit(self, identities: Identities) -> Transit:
        return Transit(self.ledger, self.clock, identities, self._message_settled)

    def _message_settled(self, message: "Message", device: "Device") -> None:
        self.ledger.bell.ring()
        courier = self.couriers[device.provider]
        if courier.subscription is not None:
            words = courier.subscription.outcomes.get(message.recipient, courier.subscription.events)
            courier.post("status", EVENTS[device.provider].status_events(message, device, courier.subscription))
            if message.state is MessageState.SENT and words:
                message.state = LATER_STATES.get(words[-1], message.state)

    def _device_changed(self, device: "Device") -> None:
        device.changed_at = self.clock.now()
        self.provider(device.provider).transit.wake()
        courier = self.couriers[device.provider]
        if courier.subscription is not None:
            courier.post("device", [EVENTS[device.provider].device_event(device)])
