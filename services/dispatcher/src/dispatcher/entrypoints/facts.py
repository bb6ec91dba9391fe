"""What is done about each fact: what other services tell of their rows."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from common.contracts.event import Event
from common.contracts.facts import RowFact, SurveyAnswered
from common.kernel.failures import Permanent
from dispatcher.application.keep_directory import KeepDirectory

Use = Callable[[Any], Awaitable[None]]


def facts_table(keep: KeepDirectory) -> dict[type[Event], Use]:
    rows: dict[type[Event], Use] = {
        event: keep.row_fact for event in Event.catalogue.values() if issubclass(event, RowFact)
    }
    return rows | {SurveyAnswered: keep.survey_answered}


async def use(table: Mapping[type[Event], Use], event: Event) -> None:
    """Raises `Permanent` when nobody has a use for it, so that it is kept for who will."""
    chosen = table.get(type(event))
    if chosen is None:
        raise Permanent(f"nothing is done about {event.routing_key} yet")
    await chosen(event)
