"""The dispatcher's ports in memory, for what a running one shows only by luck."""

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from prometheus_client import CollectorRegistry

from common.contracts.documents import Circuit, DeliveryDocument, SenderDocument, SuppressionDocument
from common.contracts.events import AttemptsRequested
from common.kernel.failures import Transient
from common.mongo.gate import Granted, Limits, Wait
from dispatcher.application.claim_deliveries import ClaimDeliveries
from dispatcher.application.keep_hours import KeepHours
from dispatcher.application.look_again import LookAgain, NotificationCancelled, OptedOut
from dispatcher.application.lookout import Lookout
from dispatcher.application.recipient_caps import RecipientCaps
from dispatcher.domain.change import Change
from dispatcher.domain.rounds import CANCELLED, LONGEST_REST
from dispatcher.metrics import Metrics
from tests.support.dispatching.model import START, ZONE, applied, claimed


@dataclass
class StoppedClock:
    at: datetime = START

    def now(self) -> datetime:
        return self.at


@dataclass
class SendersInMemory:
    documents: list[SenderDocument] = field(default_factory=list)

    async def all(self) -> list[SenderDocument]:
        return list(self.documents)

    async def save_circuit(self, sender: str, circuit: Circuit) -> bool:
        (document,) = [document for document in self.documents if document["_id"] == sender]
        document["circuit"] = circuit
        return True

    async def circuit(self, sender: str) -> Circuit | None:
        return next((document.get("circuit") for document in self.documents if document["_id"] == sender), None)


class DeliveriesInMemory:
    """Everything a dispatcher may ask of deliveries that are there already."""

    def __init__(self, *deliveries: DeliveryDocument) -> None:
        self.all = {delivery["_id"]: delivery for delivery in deliveries}
        self.on_claim: Callable[[], None] | None = None

    @property
    def only(self) -> DeliveryDocument:
        (delivery,) = self.all.values()
        return delivery

    def call_off(self) -> None:
        """As cancelling does with what is under way."""
        for identity, delivery in self.all.items():
            self.all[identity] = {**delivery, "called_off": CANCELLED, "revision": delivery["revision"] + 1}

    async def following(self, head: DeliveryDocument, limit: int) -> list[DeliveryDocument]:
        line = self._waiting([head["lane"]], head["accepted_at"])
        return [d for d in line if d["rank"] == head["rank"] and d["queued_at"] >= head["queued_at"]][:limit]

    async def heads(self, lanes: Sequence[str], now: datetime, limit: int) -> list[DeliveryDocument]:
        return self._waiting(lanes, now)[:limit]

    async def critical(self, lanes: Sequence[str], now: datetime, limit: int) -> list[DeliveryDocument]:
        return [d for d in self._waiting(lanes, now) if d["priority"] == "critical"][:limit]

    def _waiting(self, lanes: Sequence[str], now: datetime) -> list[DeliveryDocument]:
        waiting = [d for d in self.all.values() if d.get("lane") in lanes and d["expires_at"] > now]
        return sorted(waiting, key=lambda d: (d["rank"], d["queued_at"], d["position"]))

    async def aged(
        self, lanes: Sequence[str], rank: int, before: datetime, now: datetime, limit: int
    ) -> list[DeliveryDocument]:
        return [d for d in await self.heads(lanes, now, limit) if d["rank"] == rank and d["queued_at"] <= before]

    async def claim(
        self, deliveries: Sequence[DeliveryDocument], *, claim: str, provider: str, sender: str, now: datetime,
        deadline: datetime,
    ) -> list[DeliveryDocument]:  # fmt: skip
        if self.on_claim is not None:
            self.on_claim()
        for delivery in deliveries:
            taken: Any = claimed(delivery, provider, at=(now - START).total_seconds(), started=False)
            taken["attempt"] |= {"claim": claim, "sender": sender, "deadline": deadline}
            taken |= {"wake_at": deadline, "revision": delivery["revision"] + 1}
            self.all[delivery["_id"]] = taken
        return [self.all[delivery["_id"]] for delivery in deliveries]

    async def requested(self, sender: str, most: int) -> int:
        under_way = [d["attempt"] for d in self.all.values() if d["attempt"] is not None]
        return len([a for a in under_way if (a["sender"], a["state"]) == (sender, "requested")][:most])

    async def read(self, ids: Sequence[str]) -> list[DeliveryDocument]:
        return [self.all[identity] for identity in ids if identity in self.all]

    async def reported(
        self, *, ids: Sequence[str], message_ids: Sequence[str], state_ids: Sequence[str]
    ) -> list[DeliveryDocument]:
        return [
            delivery
            for delivery in self.all.values()
            if delivery["_id"] in ids
            or any(a["provider_message_id"] in message_ids for a in delivery["attempts"])
            or any(a.get("state_id") in state_ids for a in delivery["attempts"])
        ]

    async def overdue(self, now: datetime, limit: int) -> AsyncIterator[list[DeliveryDocument]]:
        yield [d for d in self.all.values() if "wake_at" in d and d["wake_at"] <= now][:limit]

    async def wake_rests(self, lanes: Sequence[str], now: datetime) -> None:
        for identity, delivery in self.all.items():
            if delivery.get("lane") in lanes and now < delivery["wake_at"] <= now + LONGEST_REST:
                self.all[identity] = {**delivery, "wake_at": now, "revision": delivery["revision"] + 1}

    async def save(self, changes: Iterable[tuple[DeliveryDocument, Change]], now: datetime) -> list[str]:
        assert now >= START
        conflicting = []
        for delivery, change in changes:
            if self.all[delivery["_id"]]["revision"] != delivery["revision"]:
                conflicting.append(delivery["_id"])
            else:
                self.all[delivery["_id"]] = applied(delivery, change)
        return conflicting


@dataclass
class GateInMemory:
    """Grants `room` calls for each key, then says `wait`."""

    wait: Wait
    room: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, int, bool]] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)

    async def grant(self, key: str, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted | Wait:
        self.asked.append((key, want, skip_gap))
        count = min(self.room.get(key, 0), 1 if limits.gap else want)
        if not count:
            return self.wait
        self.room[key] -= count
        return Granted(count, self.wait.until, key)

    async def give_back(self, key: str, granted: Granted, *, unused: int | None = None) -> None:
        self.room[key] += granted.count if unused is None else unused
        self.given_back.append(key)


@dataclass
class SuppressionsInMemory:
    documents: dict[str, SuppressionDocument] = field(default_factory=dict)

    def add(self, recipient: str) -> None:
        self.documents[recipient] = SuppressionDocument(
            _id=recipient, reason="opt_out", note=None, created_by="recipient", created_at=START
        )

    async def among(self, recipients: Collection[str]) -> dict[str, SuppressionDocument]:
        return {one: self.documents[one] for one in recipients if one in self.documents}

    def why(self, suppression: SuppressionDocument) -> str:
        return f"opted out on {suppression['created_at']:%Y-%m-%d}"


@dataclass
class GatewaysInMemory:
    requests: list[AttemptsRequested] = field(default_factory=list)
    reachable: bool = True

    async def request(self, attempts: AttemptsRequested) -> None:
        if not self.reachable:
            raise Transient("RabbitMQ is away")
        self.requests.append(attempts)


def sender(identity: str, **changed: Any) -> SenderDocument:
    """A sender whose gateway is alive."""
    document = {"_id": identity, "provider": identity.partition("-")[0], "max_text_chars": 60_000}
    return cast("SenderDocument", {**document, "gateway_seen_at": START, **changed})


async def lookout(*senders: SenderDocument) -> Lookout:
    """A picture of these senders at the start."""
    made = Lookout(SendersInMemory(list(senders)), StoppedClock(), ("fonnte", "wablas"))
    await made.renew()
    return made


class CancellationsInMemory:
    def __init__(self, *ids: str) -> None:
        self._ids = ids

    async def cancelled(self, ids: Sequence[str]) -> list[str]:
        return [one for one in ids if one in self._ids]


def claiming(
    picture: Lookout,
    deliveries: DeliveriesInMemory,
    gateways: GatewaysInMemory,
    *,
    identity: str = "fonnte-1",
    gap: float = 0.0,
    caps: Limits | None = None,
    cap_gate: GateInMemory | None = None,
    suppressions: SuppressionsInMemory | None = None,
    cancelled: Sequence[str] = (),
) -> ClaimDeliveries:
    gate = cap_gate or GateInMemory(Wait(START, 1.0, "day"))
    metrics = Metrics(CollectorRegistry())
    return ClaimDeliveries(
        identity,
        gap,
        deliveries,
        gateways,
        RecipientCaps(caps or Limits(), gate, deliveries, picture, metrics),
        KeepHours(ZONE, deliveries, picture, metrics),
        LookAgain(
            (
                NotificationCancelled(CancellationsInMemory(*cancelled)),
                OptedOut(suppressions or SuppressionsInMemory()),
            ),
            deliveries,
            picture,
            metrics,
        ),
        picture,
        metrics,
    )
