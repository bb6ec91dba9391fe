"""Lanes: the waiting lines, named by the providers that may still serve them, in the route's order.

A delivery routed to Fonnte, then Wablas waits in `fonnte,wablas`; once Fonnte has failed it in this round, in
`wablas`. A provider serves the lanes in which every provider before it is out, so nothing is rewritten when one goes
out or comes back.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import permutations

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import Priority

MOST_PROVIDERS_IN_A_LANE = 4
HIGHEST_RANK_BY_AGE = 1
"""Ageing lifts up to `high`: `critical` is a promise about urgency, which waiting does not create."""


def lane(providers: Sequence[str]) -> str:
    return ",".join(providers)


def lanes_served(provider: str, *, known: Iterable[str], usable: Collection[str]) -> list[str]:
    """Every lane whose head this provider may take now."""
    others = sorted(set(known) - {provider})
    out = [other for other in others if other not in usable]
    served = []
    for before in range(min(len(out), MOST_PROVIDERS_IN_A_LANE - 1) + 1):
        for first in permutations(out, before):
            rest = [other for other in others if other not in first]
            for after in range(min(len(rest), MOST_PROVIDERS_IN_A_LANE - before - 1) + 1):
                served += [lane((*first, provider, *last)) for last in permutations(rest, after)]
    return served


def lanes_among(providers: Collection[str]) -> list[str]:
    """Every lane that names only these."""
    longest = min(len(providers), MOST_PROVIDERS_IN_A_LANE)
    return [lane(some) for length in range(1, longest + 1) for some in permutations(sorted(providers), length)]


def waits_for_one_of(delivery: DeliveryDocument, providers: Collection[str]) -> bool:
    """Whether its lane names one of these."""
    return any(provider in providers for provider in delivery.get("lane", "").split(","))


def passed_over(delivery: DeliveryDocument, provider: str) -> list[str]:
    """The providers its lane names before this one."""
    named = delivery.get("lane", "").split(",")
    return named[: named.index(provider)] if provider in named else []


def skips_gap(delivery: DeliveryDocument) -> bool:
    """Whether it may go before the sender's gap is over; being first in line alone is no reason."""
    return delivery["priority"] == Priority.CRITICAL


def effective_rank(delivery: DeliveryDocument, now: datetime, ageing: timedelta) -> int:
    """The priority's rank, one step better for every whole `ageing` waited (0 switches ageing off)."""
    rank = delivery["rank"]
    if not ageing or rank <= HIGHEST_RANK_BY_AGE:
        return rank
    return max(HIGHEST_RANK_BY_AGE, rank - int((now - delivery["queued_at"]) / ageing))


def in_order(heads: Iterable[DeliveryDocument], now: datetime, ageing: timedelta, count: int) -> list[DeliveryDocument]:
    """The next `count` of some lanes' heads: priority with ageing, then age, then place in its notification.

    Within one priority the head is the oldest, so looking at the heads of each is the same as lifting every aged
    delivery, without rewriting any.
    """
    distinct = {delivery["_id"]: delivery for delivery in heads}
    return sorted(
        distinct.values(),
        key=lambda delivery: (effective_rank(delivery, now, ageing), delivery["queued_at"], delivery["position"]),
    )[:count]
