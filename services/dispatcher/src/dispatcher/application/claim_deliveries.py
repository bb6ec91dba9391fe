"""Claim deliveries for one sender and hand them to its gateway."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.documents import DeliveryDocument
from common.contracts.events import AttemptRequest, AttemptsRequested
from common.contracts.vocabulary import Priority
from common.kernel.failures import Transient
from common.kernel.identity import new_id
from common.kernel.phone import is_group
from common.telemetry import tracing
from common.telemetry.joint_spans import JointSpans
from common.telemetry.logs import logger
from dispatcher.application.keep_hours import KeepHours
from dispatcher.application.look_again import LookAgain
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Deliveries, Gateways
from dispatcher.application.recipient_caps import Allowed, RecipientCaps
from dispatcher.application.take_back import take_back, untaken
from dispatcher.domain.change import Change
from dispatcher.domain.lanes import skips_gap
from dispatcher.domain.rounds import line_up, unless_called_off
from dispatcher.metrics import Metrics

REQUEST_SECONDS = 2.5
"""How long a gateway may leave an attempt untaken before it is revoked and another provider chosen."""
log = logger()


@dataclass(frozen=True)
class Claimed:
    """How many were claimed, and whether RabbitMQ took the envelope about them."""

    count: int
    handed_over: bool = True


class GroupIds(Protocol):
    async def at(self, provider: str, groups: Sequence[str]) -> Mapping[str, str]:
        """What a provider calls these groups, by what they are called here; those it has no name of its own for are
        left out.
        """
        ...


@dataclass(frozen=True)
class ClaimDeliveries:
    identity: str
    gap: float
    deliveries: Deliveries
    gateways: Gateways
    caps: RecipientCaps
    hours: KeepHours
    look_again: LookAgain
    lookout: Lookout
    metrics: Metrics
    group_ids: GroupIds | None = None

    async def __call__(
        self, provider: str, heads: Sequence[DeliveryDocument], slot: datetime | None, asked: int | None = None
    ) -> Claimed:
        """`asked`: when the gate was asked for the slot, as spans count."""
        began = tracing.now()
        now = self.lookout.now()
        heads = await self.hours(heads, max(now, slot or now))
        if not heads:
            return Claimed(0)
        deadline, together = _together(heads, max(now, slot or now) + timedelta(seconds=REQUEST_SECONDS))
        claim = new_id("claim")
        won = await self.deliveries.claim(
            together, claim=claim, provider=provider, sender=self.identity, now=now, deadline=deadline
        )
        # Looked at after the claim: what is called off before it does not go, whenever it was planned.
        # Only who has won a delivery asks for its cap, or two dispatchers would count it twice.
        allowed = await self.caps.allow(await self.look_again(won, claim), claim)
        claimed = allowed.deliveries
        if not claimed:
            return Claimed(0)
        self.metrics.claimed.labels(self.identity).inc(len(claimed))
        spans = JointSpans(
            f"send to {provider}",
            claimed,
            _traceparent,
            kind=tracing.Kind.PRODUCER,
            linked=_before,
            started=asked or began,
        )
        if asked is not None:
            spans.part("gate", asked, began)
        named = await self._group_ids(provider, claimed)
        paced = slot is not None and not skips_gap(claimed[0])
        request = AttemptsRequested(
            claim=claim,
            provider=provider,
            sender=self.identity,
            deadline=deadline,
            gap=self.gap if paced else 0.0,
            attempts=[
                _request(delivery, slot, named, spans.follow(delivery.get("traceparent"))) for delivery in claimed
            ],
        )
        try:
            with tracing.within(spans.only):
                await self.gateways.request(request)
            spans.end(self._said)
        except Transient as error:
            spans.end(self._said, failed=True)
            log.warning("attempts.not_requested", claim=claim, attempts=len(claimed), error=str(error))
            await self._put_back(allowed, claim)
            return Claimed(len(claimed), handed_over=False)
        return Claimed(len(claimed))

    def _said(self, claimed: Sequence[DeliveryDocument]) -> Mapping[str, tracing.Attribute]:
        said: dict[str, tracing.Attribute] = {"sender": self.identity, "deliveries": len(claimed)}
        if len(claimed) == 1:
            said |= {"delivery_id": claimed[0]["_id"], "attempt": claimed[0]["attempts_made"]}
        return said

    async def _group_ids(self, provider: str, claimed: Sequence[DeliveryDocument]) -> Mapping[str, str]:
        groups = [delivery["recipient"] for delivery in claimed if is_group(delivery["recipient"])]
        return await self.group_ids.at(provider, groups) if groups and self.group_ids is not None else {}

    async def _put_back(self, allowed: Allowed, claim: str) -> None:
        """Put back what may not have reached the gateway: what it did take it has started by now, and keeps."""
        now = self.lookout.now()

        def change_of(delivery: DeliveryDocument) -> Change:
            change = line_up(delivery, now, cause="RabbitMQ did not take the attempt")
            change = unless_called_off(delivery, change) or change
            return change.uncounted(delivery) if delivery["_id"] in allowed.granted else change

        left = await untaken(self.deliveries, [delivery["_id"] for delivery in allowed.deliveries], claim)
        put_back = await take_back(self.deliveries, left, change_of, claim=claim, now=now, metrics=self.metrics)
        await self.caps.give_back(allowed, [delivery for delivery, _ in put_back])


def _together(heads: Sequence[DeliveryDocument], latest: datetime) -> tuple[datetime, list[DeliveryDocument]]:
    """The deadline of the first and those that share it.

    Nothing may be started after its validity; what ends before `latest` goes without the others, whose time it would
    shorten, once it is first.
    """
    deadline = min(latest, heads[0]["expires_at"])
    return deadline, [head for head in heads if min(latest, head["expires_at"]) == deadline]


def _may_be_declined(delivery: DeliveryDocument) -> bool:
    return delivery["priority"] == Priority.LOW and delivery.get("suppressible", False)


def _traceparent(delivery: DeliveryDocument) -> str | None:
    return delivery.get("traceparent")


def _before(delivery: DeliveryDocument) -> str | None:
    """The call this one follows: a retry's, or that of the provider it fails over from."""
    return delivery["attempts"][-1].get("traceparent") if delivery["attempts"] else None


def _request(
    delivery: DeliveryDocument, slot: datetime | None, named: Mapping[str, str], traceparent: str | None
) -> AttemptRequest:
    return AttemptRequest(
        delivery_id=delivery["_id"],
        number=delivery["attempts_made"],
        recipient=named.get(delivery["recipient"], delivery["recipient"]),
        text=delivery["message"],
        subject=delivery.get("subject_line"),
        unsubscribe="subject_line" in delivery and _may_be_declined(delivery),
        slot=slot,
        traceparent=traceparent,
    )
