"""Do what somebody asks of us who answers a message: to stop, to start again, or to note how well it went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from common.contracts.documents import SuppressionDocument
from common.contracts.events import MessageReceived
from common.contracts.facts import SurveyAnswered
from common.contracts.vocabulary import SuppressionReason
from common.kernel.clock import Clock, to_milliseconds
from common.telemetry.logs import logger
from dispatcher.domain.words import Wish, rating, wish

SURVEY_OPEN = timedelta(days=7)
BY = "recipient"
log = logger()


@dataclass(frozen=True)
class Wished:
    """Who asked for what, when, and by which message."""

    person: str
    wish: Wish
    at: datetime
    message: str


class OptOuts(Protocol):
    async def add(self, suppression: SuppressionDocument, *, instead: bool = False) -> object: ...

    async def lift(self, recipient: str, *, only: SuppressionReason | None = None) -> object: ...


class Conversations(Protocol):
    """What people said before, and what they were asked."""

    async def wished(self, wanted: Wished) -> Wished | None:
        """Note what somebody asked for, unless they asked for something later; of the same moment, what came last is.

        Answers the latest, which is to be fulfilled; `None` when this message is heeded, or came too late to be.
        """
        ...

    async def heeded(self, wanted: Wished, *, fulfilled: Wished) -> bool:
        """Note that this message is heeded; `False` when something later was asked for than what was fulfilled."""
        ...

    async def surveyed(self, person: str, since: datetime, until: datetime) -> str | None:
        """The ticket of the last survey that was sent to somebody in this time."""
        ...


class Answers(Protocol):
    async def answered(self, answer: SurveyAnswered) -> None:
        """Raises `Transient` when RabbitMQ does not take it."""
        ...


@dataclass(frozen=True)
class ReceiveMessage:
    """Harmless to repeat: the same message twice, or an older one after a newer, changes nothing."""

    opt_outs: OptOuts
    conversations: Conversations
    answers: Answers
    clock: Clock

    async def __call__(self, message: MessageReceived) -> None:
        if message.group is not None:  # said to everybody there, not to us
            return
        wanted = wish(message.text)
        if wanted is not None:
            await self._heed(message, wanted)
        elif (given := rating(message.text)) is not None:
            await self._rate(message, given)

    async def _heed(self, message: MessageReceived, wanted: Wish) -> None:
        at = to_milliseconds(min(message.occurred_at, self.clock.now()))
        mine = Wished(message.message_from, wanted, at, message.event_id)
        # A later wish may be heeded while this one is: whoever acted last must have acted on the latest, also when it
        # died in between and the message comes again.
        while (latest := await self.conversations.wished(mine)) is not None:
            await self._fulfil(latest)
            if await self.conversations.heeded(mine, fulfilled=latest):
                break
        else:
            return
        log.info("recipient.opted", wish=latest.wish, message=message.event_id)

    async def _fulfil(self, wished: Wished) -> None:
        if wished.wish is Wish.START:
            await self.opt_outs.lift(wished.person, only=SuppressionReason.OPT_OUT)
            return
        await self.opt_outs.add(
            SuppressionDocument(
                _id=wished.person,
                reason=SuppressionReason.OPT_OUT,
                note=None,
                created_by=BY,
                created_at=wished.at,
            )
        )

    async def _rate(self, message: MessageReceived, given: int) -> None:
        at = message.occurred_at
        ticket = await self.conversations.surveyed(message.message_from, at - SURVEY_OPEN, self.clock.now())
        if ticket is None:
            return
        await self.answers.answered(
            SurveyAnswered(
                event_id=f"{message.event_id}.survey", occurred_at=at, version=1, ticket_id=ticket, rating=given
            )
        )
        log.info("survey.answered", ticket_id=ticket, message=message.event_id)
