"""What really happened: every call that came in and every message a provider took.

Two hundred thousand entries are an ordinary benchmark, so entries are slotted objects that share what they can:
a message points to its call instead of repeating provider, device and times.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.bell import Bell

if TYPE_CHECKING:
    from collections.abc import Iterator


class ProviderName(StrEnum):
    """The providers that are simulated."""

    FONNTE = "fonnte"
    WABLAS = "wablas"
    EMAIL = "email"


OF_WHATSAPP = (ProviderName.FONNTE, ProviderName.WABLAS)
"""Those with devices, webhooks and dialects."""


class MessageState(StrEnum):
    """How far an accepted message has come; each provider has its own words for these."""

    WAITING = "waiting"
    PENDING = "pending"
    PROCESSING = "processing"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(slots=True)
class Call:
    """One HTTP call, or one mail from ``MAIL FROM`` on, whose ``http_status`` is the last reply's code.

    Times are Unix seconds; ``answered_at`` and ``http_status`` are none while unanswered.
    """

    index: int
    provider: ProviderName
    endpoint: str
    received_at: float
    device: str = ""
    fingerprint: str = ""
    recipient: str = ""
    accepted: int = 0
    fault: str | None = None
    http_status: int | None = None
    answered_at: float | None = None


@dataclass(slots=True)
class Message:
    """One message a provider accepted. ``id`` is the provider's, ``reference`` the client's (Wablas ``ref_id``)."""

    index: int
    call: Call
    id: str
    recipient: str
    text: str
    reference: str | None
    state: MessageState


Entry = TypeVar("Entry", Call, Message)


@dataclass(slots=True)
class Ledger:
    """Calls and accepted messages in order of arrival. Indexes go on counting after ``clear()``.

    ``bell`` is rung after every change to an entry, and to anything else a client may wait for.
    """

    calls: list[Call] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    bell: Bell = field(default_factory=Bell)
    next_call: int = 0
    next_message: int = 0

    def open_call(self, provider: ProviderName, endpoint: str, received_at: float) -> Call:
        call = Call(self.next_call, provider, endpoint, received_at)
        self.next_call += 1
        self.calls.append(call)
        self.bell.ring()
        return call

    def accept(
        self, call: Call, *, message_id: str, recipient: str, text: str, reference: str | None, state: MessageState
    ) -> Message:
        """Enter a message; the provider makes its id from ``next_message``. Nothing is ever deduplicated."""
        index = self.next_message
        self.next_message = index + 1
        message = Message(index, call, message_id, recipient, text, reference, state)
        call.accepted += 1
        self.messages.append(message)
        self.bell.ring()
        return message

    def message(self, index: int) -> Message | None:
        """The message of that index, if it is still in the ledger."""
        position = index - self.next_message + len(self.messages)
        return self.messages[position] if 0 <= position < len(self.messages) else None

    def clear(self) -> None:
        self.calls.clear()
        self.messages.clear()


@dataclass(slots=True, frozen=True, kw_only=True)
class Selection:
    """Which entries to read: those from index ``since`` on, at most ``limit``."""

    provider: ProviderName | None = None
    recipient: str | None = None
    device: str | None = None
    state: MessageState | None = None
    since: int = 0
    limit: int = 10_000

    def calls(self, ledger: Ledger) -> list[Call]:
        found = (call for call in _from(ledger.calls, self.since) if self._takes(call, call.recipient))
        return list(islice(found, self.limit))

    def messages(self, ledger: Ledger) -> list[Message]:
        found = (
            message
            for message in _from(ledger.messages, self.since)
            if self._takes(message.call, message.recipient) and self.state in {None, message.state}
        )
        return list(islice(found, self.limit))

    def _takes(self, call: Call, recipient: str) -> bool:
        return (
            (self.provider is None or call.provider is self.provider)
            and (self.recipient is None or recipient == self.recipient)
            and (self.device is None or call.device == self.device)
        )


def _from(entries: "list[Entry]", since: int) -> "Iterator[Entry]":
    first = max(0, since - entries[0].index) if entries else 0
    return islice(entries, first, None)


def call_as_json(call: Call) -> dict[str, Any]:
    return {
        "index": call.index,
        "provider": call.provider,
        "endpoint": call.endpoint,
        "device": call.device,
        "token_fingerprint": call.fingerprint,
        "recipient": call.recipient,
        "accepted": call.accepted,
        "fault": call.fault,
        "http_status": call.http_status,
        "received_at": call.received_at,
        "answered_at": call.answered_at,
    }


def message_as_json(message: Message) -> dict[str, Any]:
    call = message.call
    return {
        "index": message.index,
        "provider": call.provider,
        "device": call.device,
        "token_fingerprint": call.fingerprint,
        "call": call.index,
        "id": message.id,
        "recipient": message.recipient,
        "text": message.text,
        "ref_id": message.reference,
        "state": message.state,
        "received_at": call.received_at,
        "answered_at": call.answered_at,
    }


def count(ledger: Ledger) -> dict[str, Any]:
    """Accepted messages and calls per provider, and what was accepted more than once."""
    calls = Counter(call.provider for call in ledger.calls)
    accepted = Counter(message.call.provider for message in ledger.messages)
    recipients = Counter(message.recipient for message in ledger.messages)
    texts = Counter((message.recipient, message.text) for message in ledger.messages)
    references = Counter(message.reference for message in ledger.messages if message.reference)
    return {
        "calls": {name.value: calls[name] for name in ProviderName},
        "accepted": {name.value: accepted[name] for name in ProviderName},
        "recipients": len(recipients),
        "repeated_recipients": {name: times for name, times in recipients.items() if times > 1},
        "repeated_texts": [
            {"recipient": recipient, "text": text, "times": times}
            for (recipient, text), times in texts.items()
            if times > 1
        ],
        "repeated_ref_ids": {name: times for name, times in references.items() if times > 1},
    }
