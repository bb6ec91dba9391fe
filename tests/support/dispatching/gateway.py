"""A gateway that speaks the real envelopes and answers as a test says; its calls are the provider's ledger."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from prometheus_client import CollectorRegistry

from common.contracts.events import AttemptOutcome, AttemptRequest, AttemptsFinished, AttemptsRequested
from common.contracts.vocabulary import AttemptState, FailureClass
from common.kernel.failures import Transient
from common.messaging.broker import Broker, Envelope
from common.messaging.broker import connect as connect_broker
from common.mongo.connection import UNAVAILABLE, Mongo
from common.topology.declarations import ATTEMPTS, attempts_queue

HEARTBEAT_SECONDS = 0.5
ANSWER_SECONDS = 60.0


def now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Call:
    """One call as the provider saw it."""

    delivery_id: str
    number: int
    provider: str
    sender: str
    recipient: str
    text: str
    arrived_at: datetime
    """When the envelope reached the gateway."""


@dataclass(frozen=True)
class Answer:
    """What the provider answers."""

    state: AttemptState = AttemptState.SUCCEEDED
    failure: FailureClass | None = None
    error: str | None = None


TOOK = Answer()
UNKNOWN = Answer(AttemptState.UNKNOWN, error="no answer in 30 s")
Script = Callable[[Call], Awaitable[Answer | None]]


def failed(failure: FailureClass = FailureClass.TRANSPORT, error: str = "connection refused") -> Answer:
    return Answer(AttemptState.FAILED, failure, error)


async def takes_everything(_: Call) -> Answer:
    return TOOK


@dataclass
class ScriptedGateway:
    """`script` answers each call; `None` is an answer that never comes."""

    provider: str
    mongo: Mongo
    broker: Broker
    script: Script = takes_everything
    max_text_chars: int = 60_000
    calls: list[Call] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """Deliveries the provider took, whatever it told about them."""
    finished: list[AttemptsFinished] = field(default_factory=list)
    identity: str = field(default_factory=lambda: uuid4().hex)
    _begun: set[tuple[str, str]] = field(default_factory=set)
    lost: int = 0
    """Attempts of this gateway's envelopes that somebody else had taken or that were revoked."""

    @property
    def sender(self) -> str:
        return f"{self.provider}-1"

    async def beat(self) -> None:
        """Register the sender and keep it alive, until cancelled."""
        while True:
            with suppress(*UNAVAILABLE):
                await self.beat_once()
            await asyncio.sleep(HEARTBEAT_SECONDS)

    async def beat_once(self) -> None:
        await self.mongo["senders"].update_one(
            {"_id": self.sender},
            [
                {
                    "$set": {
                        "provider": self.provider,
                        "max_text_chars": self.max_text_chars,
                        "gateway_seen_at": "$$NOW",
                    }
                }
            ],
            upsert=True,
        )

    async def on_requested(self, envelope: Envelope[AttemptsRequested]) -> None:
        request = envelope.event
        arrived_at = now()
        started = await self._start(request)
        outcomes = await asyncio.gather(
            *(
                self._call(request, attempt, arrived_at)
                for attempt in request.attempts
                if attempt.delivery_id in started
            )
        )
        told = [outcome for outcome in outcomes if outcome is not None]
        if told:
            await self.tell(told)

    async def tell(self, outcomes: list[AttemptOutcome]) -> None:
        """Publish outcomes; a test may tell the same again, late or in another order."""
        event = AttemptsFinished(provider=self.provider, outcomes=outcomes)
        self.finished.append(event)
        while True:
            try:
                return await self.broker.publish(ATTEMPTS, event)
            except Transient:
                await asyncio.sleep(0.1)

    async def _start(self, request: AttemptsRequested) -> set[str]:
        ids = [attempt.delivery_id for attempt in request.attempts]
        moment = now()
        if moment < request.deadline:
            await self.mongo["deliveries"].update_many(
                {"_id": {"$in": ids}, "attempt.claim": request.claim, "attempt.state": AttemptState.REQUESTED},
                {
                    "$set": {
                        "attempt.state": AttemptState.STARTED,
                        "attempt.started_by": self.identity,
                        "attempt.started_at": moment,
                        "wake_at": moment + timedelta(seconds=ANSWER_SECONDS),
                    },
                    "$inc": {"revision": 1},
                },
            )
        mine = {"attempt.claim": request.claim, "attempt.started_by": self.identity}
        cursor = self.mongo["deliveries"].find({"_id": {"$in": ids}, **mine}, {"_id": 1})
        found = {(document["_id"], request.claim) async for document in cursor}
        started = {identity for identity, _ in found - self._begun}
        self._begun |= found  # an envelope that comes again is not called again
        self.lost += len(ids) - len(started)
        return started

    async def _call(
        self, request: AttemptsRequested, attempt: AttemptRequest, arrived_at: datetime
    ) -> AttemptOutcome | None:
        started_at = now()
        call = Call(
            attempt.delivery_id,
            attempt.number,
            self.provider,
            request.sender,
            attempt.recipient,
            attempt.text,
            arrived_at,
        )
        self.calls.append(call)
        answer = await self.script(call)
        if answer is None or answer.state is not AttemptState.FAILED:
            self.taken.append(call.delivery_id)
        if answer is None:
            return None
        return AttemptOutcome(
            delivery_id=attempt.delivery_id,
            number=attempt.number,
            claim=request.claim,
            sender=request.sender,
            state=answer.state,
            failure=answer.failure,
            error=answer.error,
            provider_message_id=f"message-{len(self.calls)}" if answer.state is AttemptState.SUCCEEDED else None,
            started_at=started_at,
            finished_at=now(),
        )


@asynccontextmanager
async def scripted_gateway(
    provider: str, *, rabbitmq_url: str, mongo: Mongo, script: Script, takes: bool, beats: bool, max_text_chars: int
) -> AsyncIterator[ScriptedGateway]:
    """A running gateway; without `takes` it never takes an attempt, without `beats` nobody has ever seen it."""
    async with connect_broker(
        rabbitmq_url, name=f"gateway-{provider}", transient=UNAVAILABLE, registry=CollectorRegistry()
    ) as broker:
        gateway = ScriptedGateway(provider, mongo, broker, script, max_text_chars)
        if takes:
            broker.subscribe(attempts_queue(provider), AttemptsRequested, gateway.on_requested, prefetch=100)
        if beats:
            await gateway.beat_once()
        running = [asyncio.create_task(broker.run())]
        running += [asyncio.create_task(gateway.beat())] if beats else []
        try:
            yield gateway
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
