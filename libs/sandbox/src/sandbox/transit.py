"""What becomes of a message after its acceptance."""

from typing import TYPE_CHECKING

from sandbox.ledger import MessageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.devices import Device
    from sandbox.ledger import Call, Ledger, Message


class Transit:
    """Accepts messages of one provider and moves them on; ``make_id`` turns a ledger index into the provider's id."""

    def __init__(self, ledger: "Ledger", make_id: "Callable[[int], str]") -> None:
        self._ledger = ledger
        self._make_id = make_id

    def accept(
        self,
        call: "Call",
        device: "Device",
        *,
        recipient: str,
        text: str,
        reference: str | None = None,
        due_in: float = 0.0,
    ) -> "Message":
        """Enter a message; ``due_in`` is seconds until it may be sent."""
        state = MessageState.WAITING if due_in else MessageState.SENT if device.connected else MessageState.PENDING
        return self._ledger.accept(
            call,
            message_id=self._make_id(self._ledger.next_message),
            recipient=recipient,
            text=text,
            reference=reference,
            state=state,
        )
