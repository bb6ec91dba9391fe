"""Keep what other services tell of their rows, and ask for the notifications their facts call for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any, Protocol

from common.contracts.directory import Ticket
from common.contracts.facts import Fact, NotificationRequested, RowFact, SurveyAnswered
from common.contracts.tellings import Erased, Telling, Told, Unfit, Value, overtaken
from common.kernel.clock import Clock
from common.kernel.failures import Permanent
from common.telemetry.logs import logger
from dispatcher.domain import triggers

AHEAD = timedelta(days=1)
"""A clock that is wrong by more would keep every later word about a row from being believed."""
log = logger()


class Directory(Protocol):
    async def tell(self, kind: str, tellings: Sequence[Telling]) -> list[Told]: ...

    async def get(self, kind: str, identity: str) -> dict[str, Any] | None: ...


class Requests(Protocol):
    async def ask(self, request: NotificationRequested) -> None:
        """Raises `Transient` when RabbitMQ does not take it."""
        ...


@dataclass(frozen=True)
class KeepDirectory:
    """A process may die between the write and the request: the fact then comes again, changes nothing and asks again.
    So what is asked for depends on the row as it is after the write, never on whether this write changed it.
    """

    directory: Directory
    requests: Requests
    clock: Clock

    async def row_fact(self, fact: RowFact) -> None:
        """Raises `Permanent` naming the field that cannot be kept."""
        telling = Telling(fact.telling(), fact.occurred_at, fact.version, fact.routing_key.replace(".", "_"))
        told = _fields(telling)
        lacking = triggers.unsaid(fact, told)
        if lacking is not None:
            raise Permanent(f"not valid: {lacking}: {fact.routing_key} has to say it")
        if await self._tell(fact, telling) and type(fact) in triggers.TRIGGERS:
            await self._ask(fact, telling, told)

    async def survey_answered(self, fact: SurveyAnswered) -> None:
        """The answer is the ticket's rating."""
        row = Ticket(id=fact.ticket_id, rating=fact.rating)
        await self._tell(fact, Telling(row, fact.occurred_at, fact.version))

    async def _tell(self, fact: Fact, telling: Telling) -> bool:
        """Whether it is of any use; it is of none, nor is it parked, once somebody it names was erased."""
        if fact.occurred_at > self.clock.now() + AHEAD:
            raise Permanent("not valid: occurred_at: more than a day ahead")
        (told,) = await self.directory.tell(telling.row.kind, [telling])
        if isinstance(told.problem, Erased):
            log.info("fact.left_out", event_id=fact.event_id, routing_key=fact.routing_key, reason=str(told.problem))
            return False
        return True

    async def _ask(self, fact: RowFact, telling: Telling, told: Mapping[str, Value]) -> None:
        row = await self.directory.get(telling.row.kind, telling.row.id)
        if row is None or overtaken(row, telling):
            return
        request = triggers.request(fact, telling.row.id, told, row)
        if request is not None:
            await self.requests.ask(request)


def _fields(telling: Telling) -> Mapping[str, Value]:
    try:
        return telling.fields(UTC)
    except Unfit as problem:
        raise Permanent(f"not valid: {problem}") from problem
