"""What becomes of a message after its acceptance: waiting, held by a lost device, sent at the device's pace."""

import asyncio
import re
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from sandbox.ledger import MessageState

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.clock import Clock
    from sandbox.devices import Device
    from sandbox.ledger import Call, Ledger, Message

# docs.fonnte.com/message-status: a message is given up when the device stays offline for a day.
HELD_SECONDS = 86_400.0
DECIMAL = re.compile(r"\d{1,18}", re.ASCII)
HEXADECIMAL = re.compile(r"[0-9a-f]{12}")


@dataclass(slots=True, frozen=True)
class Pace:
    """``batch`` messages every ``seconds``; zero seconds sends at once and is the default."""

    seconds: float = 0.0
    batch: int = 1


@dataclass(slots=True, frozen=True)
class Identities:
    """How a provider numbers messages: ledger index to id, and back (none for what is no id of its)."""

    make: "Callable[[int], str]"
    read: "Callable[[str], int | None]"


def counting_from(first: int) -> Identities:
    """Decimal ids, as Fonnte's."""
    return Identities(
        make=lambda index: str(first + index),
        read=lambda text: int(text) - first if DECIMAL.fullmatch(text) else None,
    )


def in_uuid_family(family: str) -> Identities:
    """UUIDs that share their first 24 characters and count in the last 12 digits, as Wablas' look."""
    return Identities(
        make=lambda index: f"{family}{index:012x}",
        read=lambda text: int(text[24:], 16) if HEXADECIMAL.fullmatch(text[24:]) else None,
    )


@dataclass(slots=True, order=True)
class Queued:
    """A message in line: due at a moment of the clock, then ``gap`` seconds until the next."""

    due: float
    index: int
    message: "Message" = field(compare=False)
    gap: float = field(compare=False)


@dataclass(slots=True)
class Line:
    """One device's messages that are not sent yet."""

    device: "Device"
    queued: list[Queued] = field(default_factory=list)
    woken: asyncio.Event = field(default_factory=asyncio.Event)
    worker: asyncio.Task[None] | None = None


class Transit:
    """Accepts messages of one provider and moves them on.

    ``identities`` turns a ledger index into the provider's id and back; ``settled`` hears of every message
    that reached its end (sent, expired, cancelled) together with its device.
    """

    def __init__(
        self,
        ledger: "Ledger",
        clock: "Clock",
        identities: "Identities",
        settled: "Callable[[Message, Device], None]",
    ) -> None:
        self._ledger = ledger
        self.clock = clock
        self._make_id = identities.make
        self._read_id = identities.read
        self._settled = settled
        self.pace = Pace()
        self._lines: dict[str, Line] = {}

    def accept(
        self,
        call: "Call",
        device: "Device",
        *,
        recipient: str,
        text: str,
        reference: str | None = None,
        due_in: float = 0.0,
        gap: float | None = None,
    ) -> "Message":
        """Enter a message; ``due_in`` is seconds until it may be sent, ``gap`` overrides the device's pace."""
        seconds = self.pace.seconds if gap is None else gap
        at_once = device.connected and not due_in and not seconds and device.name not in self._lines
        message = self._ledger.accept(
            call,
            message_id=self._make_id(self._ledger.next_message),
            recipient=recipient,
            text=text,
            reference=reference,
            state=MessageState.SENT if at_once else MessageState.WAITING if due_in else MessageState.PENDING,
        )
        if at_once:
            self._settled(message, device)
        else:
            self._enqueue(device, Queued(self.clock.now() + due_in, message.index, message, seconds))
        return message

    def find(self, message_id: str) -> "Message | None":
        """The message with the provider's id, if it is still in the ledger."""
        index = self._read_id(message_id)
        message = None if index is None else self._ledger.message(index)
        return message if message is not None and message.id == message_id else None

    def cancel(self, message: "Message") -> bool:
        """Take back what is neither being sent nor sent; false when it is too late."""
        if message.state not in {MessageState.WAITING, MessageState.PENDING}:
            return False
        message.state = MessageState.CANCELLED
        self.wake()
        return True

    def reschedule(self, message: "Message", due_in: float) -> bool:
        """Move a message that is still waiting or pending to another moment."""
        for line in self._lines.values():
            for queued in line.queued:
                if queued.message is message and message.state is not MessageState.CANCELLED:
                    line.queued.remove(queued)
                    message.state = MessageState.WAITING
                    self._enqueue(line.device, Queued(self.clock.now() + due_in, message.index, message, queued.gap))
                    return True
        return False

    def wake(self) -> None:
        """Look at the lines again: a device or a message has changed."""
        for line in self._lines.values():
            line.woken.set()

    def clear(self) -> None:
        """Forget every message in line, and the pace."""
        for line in self._lines.values():
            if line.worker is not None:
                line.worker.cancel()
        self._lines.clear()
        self.pace = Pace()

    def _enqueue(self, device: "Device", queued: Queued) -> None:
        line = self._lines.setdefault(device.name, Line(device))
        heappush(line.queued, queued)
        line.woken.set()
        if line.worker is None:
            line.worker = asyncio.create_task(self._work(line), name=f"transit of {device.name}")

    async def _work(self, line: Line) -> None:
        while line.queued:
            first = line.queued[0]
            now = self.clock.now()
            if first.message.state is MessageState.CANCELLED:
                self._settled(heappop(line.queued).message, line.device)
            elif first.due > now:
                await self.clock.wait(line.woken, until=first.due)
            elif line.device.connected:
                await self._send(line, now)
            elif now >= first.due + HELD_SECONDS:
                first.message.state = MessageState.EXPIRED
                self._settled(heappop(line.queued).message, line.device)
            else:
                _hold(line, now)
                self._ledger.bell.ring()
                await self.clock.wait(line.woken, until=first.due + HELD_SECONDS)
        del self._lines[line.device.name]

    async def _send(self, line: Line, now: float) -> None:
        batch: list[Queued] = []
        while line.queued and line.queued[0].due <= now and len(batch) < self.pace.batch:
            queued = heappop(line.queued)
            if queued.message.state is not MessageState.CANCELLED:
                queued.message.state = MessageState.PROCESSING
            batch.append(queued)
        self._ledger.bell.ring()
        gap = max(queued.gap for queued in batch)
        if gap:
            await self.clock.sleep(gap)
        for queued in batch:
            if queued.message.state is MessageState.PROCESSING:
                queued.message.state = MessageState.SENT
            self._settled(queued.message, line.device)


def _hold(line: Line, now: float) -> None:
    for queued in line.queued:
        if queued.due <= now and queued.message.state is MessageState.WAITING:
            queued.message.state = MessageState.PENDING
