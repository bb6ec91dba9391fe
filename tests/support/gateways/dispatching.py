"""A dispatcher as a gateway sees it: deliveries with a requested attempt, envelopes, and a queue for outcomes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from common.contracts.documents import DeliveryDocument
from common.contracts.events import AttemptOutcome, AttemptRequest, AttemptsFinished, AttemptsRequested
from common.contracts.vocabulary import MAIL_PROVIDER
from common.kernel.identity import new_id
from common.messaging.broker import Broker, Envelope
from common.mongo.connection import Document, Mongo, connect
from common.topology.declarations import ATTEMPTS, OUTCOMES
from tests.support.bus import connected, emptied

HEALTHY = "6281200000001"


@dataclass
class Dispatching:
    """Asks the gateway of one provider for attempts and keeps what it answers."""

    provider: str
    mongo: Mongo
    broker: Broker
    outcomes: list[AttemptOutcome] = field(default_factory=list)

    @property
    def sender(self) -> str:
        return f"{self.provider}-1"

    def address(self, number: str) -> str:
        """Where somebody with a number is reached by this provider."""
        return f"{number}@example.com" if self.provider == MAIL_PROVIDER else number

    async def request(
        self,
        *recipients: str,
        slot: datetime | None = None,
        gap: float = 0.0,
        deadline_seconds: float = 60,
        sender: str | None = None,
    ) -> AttemptsRequested:
        """Claim one delivery for each recipient; nothing is published yet."""
        claim, sender = new_id("claim"), sender or self.sender
        deadline = datetime.now(UTC) + timedelta(seconds=deadline_seconds)
        asked = AttemptsRequested(
            claim=claim,
            provider=self.provider,
            sender=sender,
            deadline=deadline,
            gap=gap,
            attempts=[
                AttemptRequest(
                    delivery_id=new_id("dlv"),
                    number=1,
                    recipient=self.address(recipient),
                    text="Halo",
                    subject="Kabar" if self.provider == MAIL_PROVIDER else None,
                    slot=slot,
                )
                for recipient in recipients or (HEALTHY,)
            ],
        )
        documents = [_delivery(request, asked) for request in asked.attempts]
        await self.mongo["deliveries"].insert_many([dict(document) for document in documents])
        return asked

    async def publish(self, asked: AttemptsRequested) -> None:
        await self.broker.publish(ATTEMPTS, asked)

    async def ask(self, *recipients: str, **claimed: float | str | datetime | None) -> AttemptsRequested:
        """Claim and publish; `claimed` as for `request`."""
        asked = await self.request(*recipients, **claimed)  # type: ignore[arg-type]
        await self.publish(asked)
        return asked

    async def attempt(self, recipient: str = HEALTHY) -> AttemptOutcome:
        """Ask for one attempt and wait for what came of it."""
        asked = await self.ask(recipient)
        [outcome] = await self.finished(asked)
        return outcome

    async def finished(
        self, asked: AttemptsRequested, *, count: int | None = None, seconds: float = 30
    ) -> list[AttemptOutcome]:
        """The outcomes of these attempts once `count` of them (all, unless said) are there."""
        async with asyncio.timeout(seconds):
            while True:
                found = self.of(asked)
                if len(found) >= (len(asked.attempts) if count is None else count):
                    return found
                await asyncio.sleep(0.01)

    def of(self, asked: AttemptsRequested) -> list[AttemptOutcome]:
        return [outcome for outcome in self.outcomes if outcome.claim == asked.claim]

    async def delivery(self, asked: AttemptsRequested, index: int = 0) -> Document:
        document = await self.mongo["deliveries"].find_one({"_id": asked.attempts[index].delivery_id})
        assert document is not None
        return document

    async def started(self, asked: AttemptsRequested, *, seconds: float = 10) -> None:
        """Return once a gateway has started the attempt."""
        async with asyncio.timeout(seconds):
            while (await self.delivery(asked))["attempt"]["state"] != "started":  # noqa: ASYNC110 - a process
                await asyncio.sleep(0.02)


@asynccontextmanager
async def dispatching(provider: str, *, rabbitmq_url: str, mongodb_url: str) -> AsyncIterator[Dispatching]:
    """Empty queues and a dispatcher of the test's own at the end of them."""
    await emptied(rabbitmq_url)
    outcomes: list[AttemptOutcome] = []

    async def keep(envelope: Envelope[AttemptsFinished]) -> None:
        assert envelope.event.provider == provider
        outcomes.extend(envelope.event.outcomes)

    async with (
        connect(mongodb_url, name="test") as mongo,
        connected(rabbitmq_url, (OUTCOMES, AttemptsFinished, keep)) as broker,
    ):
        yield Dispatching(provider, mongo, broker, outcomes)


def _delivery(request: AttemptRequest, asked: AttemptsRequested) -> DeliveryDocument:
    now = datetime.now(UTC)
    return {
        "_id": request.delivery_id,
        "notification_id": "ntf_1",
        "type": "custom",
        "channel": "whatsapp",
        "recipient": request.recipient,
        "message": request.text,
        "template": None,
        "priority": "normal",
        "rank": 2,
        "status": "sending",
        "route": [asked.provider],
        "queued_at": now,
        "position": 0,
        "wake_at": asked.deadline,
        "expires_at": now + timedelta(hours=1),
        "validity_seconds": 3600,
        "send_at": None,
        "retries": 0,
        "on_unknown": "hold",
        "unknown_wait_seconds": 60,
        "direct": False,
        "failover": False,
        "possible_duplicate": False,
        "reason": None,
        "code": None,
        "attempt": {
            "number": request.number,
            "claim": asked.claim,
            "provider": asked.provider,
            "sender": asked.sender,
            "state": "requested",
            "requested_at": now,
            "deadline": asked.deadline,
        },
        "attempts_made": 1,
        "round_from": 0,
        "attempts": [],
        "timeline": [],
        "accepted_at": now,
        "created_at": now,
        "sent_at": None,
        "revision": 1,
    }
