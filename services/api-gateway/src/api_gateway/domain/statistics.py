"""What was sent in the last days, by whom and at what price."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from common.contracts.vocabulary import WAITING, DeliveryStatus

SENT = frozenset({DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ})


@dataclass(frozen=True)
class Tally:
    """How many deliveries have these in common; `sent_by` is the provider that took them."""

    type: str
    status: str
    channel: str
    sent_by: str | None
    failover: bool
    count: int


@dataclass(frozen=True)
class Statistics:
    """`summary` by outcome and provider, `by_type` and the others how many; `cost` in rupiah."""

    summary: Mapping[str, int]
    by_type: Mapping[str, int]
    by_status: Mapping[str, int]
    by_channel: Mapping[str, int]
    by_provider: Mapping[str, int]
    failover_share: float
    cost: Mapping[str, float]


def statistics(tallies: Iterable[Tally], providers: Iterable[str], prices: Mapping[str, float]) -> Statistics:
    """Every provider is named, also one that sent nothing."""
    by_type, by_status, by_channel = Counter[str](), Counter[str](), Counter[str]()
    by_provider = Counter[str](dict.fromkeys(providers, 0))
    failovers = 0
    for one in tallies:
        by_type[one.type] += one.count
        by_status[one.status] += one.count
        by_channel[one.channel] += one.count
        if one.status in SENT:
            by_provider[one.sent_by or "unknown"] += one.count
            failovers += one.count if one.failover else 0
    sent = sum(by_status[status] for status in SENT)
    ends = {status.value: by_status[status] for status in DeliveryStatus if status not in SENT | WAITING}
    summary = {
        "total": sum(by_status.values()),
        "sent": sent,
        **{f"via_{provider}": count for provider, count in by_provider.items()},
        **ends,
        "delivered": by_status[DeliveryStatus.DELIVERED] + by_status[DeliveryStatus.READ],
        "read": by_status[DeliveryStatus.READ],
        "waiting": sum(by_status[status] for status in WAITING),
        "failovers": failovers,
    }
    return Statistics(
        summary,
        dict(by_type.most_common()),
        dict(by_status),
        dict(by_channel),
        dict(by_provider),
        round(failovers / sent, 4) if sent else 0.0,
        {provider: round(count * prices.get(provider, 0.0), 2) for provider, count in by_provider.items()},
    )
