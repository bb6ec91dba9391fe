"""Who serves which lane, and who goes first in it."""

import random
from datetime import timedelta
from typing import Any, cast

import pytest

from common.contracts.documents import DeliveryDocument
from dispatcher.domain.lanes import effective_rank, in_order, lanes_served
from tests.support.dispatching.model import after

AGEING = timedelta(minutes=30)
CRITICAL, HIGH, NORMAL, LOW = range(4)


def waiting(rank: int, *, since: float = 0.0, position: int = 0, identity: str = "") -> DeliveryDocument:
    document: dict[str, Any] = {"rank": rank, "queued_at": after(since), "position": position}
    return cast("DeliveryDocument", {**document, "_id": identity or f"{rank}-{since}-{position}"})


@pytest.mark.parametrize(
    ("provider", "usable", "lanes"),
    [
        ("fonnte", ("fonnte", "wablas"), {"fonnte", "fonnte,wablas"}),
        ("wablas", ("fonnte", "wablas"), {"wablas", "wablas,fonnte"}),
        ("wablas", ("wablas",), {"wablas", "wablas,fonnte", "fonnte,wablas"}),
        ("fonnte", ("wablas",), {"fonnte", "fonnte,wablas"}),
        ("fonnte", (), {"fonnte", "fonnte,wablas", "wablas,fonnte"}),
    ],
)
def test_a_provider_serves_the_lanes_in_which_everyone_before_it_is_out(
    provider: str, usable: tuple[str, ...], lanes: set[str]
) -> None:
    served = lanes_served(provider, known={"fonnte", "wablas"}, usable=usable)
    assert set(served) == lanes
    assert len(served) == len(lanes)


def test_with_a_third_provider_every_lane_has_exactly_one_that_serves_it() -> None:
    known = {"fonnte", "wablas", "woowa"}
    for usable in [("fonnte", "wablas", "woowa"), ("wablas", "woowa"), ("woowa",), ("fonnte", "woowa")]:
        served = [lane for provider in usable for lane in lanes_served(provider, known=known, usable=usable)]
        assert len(served) == len(set(served))
        for lane in ["fonnte,wablas,woowa", "wablas,woowa", "woowa,fonnte", "woowa"]:
            first = next((provider for provider in lane.split(",") if provider in usable), None)
            assert (lane in served) is (first is not None)


def test_priority_goes_before_age_and_age_before_place() -> None:
    heads = [
        waiting(LOW, since=0),
        waiting(NORMAL, since=2),
        waiting(NORMAL, since=1, position=1),
        waiting(NORMAL, since=1, position=0),
        waiting(HIGH, since=3),
        waiting(CRITICAL, since=4),
    ]
    random.Random(1).shuffle(heads)
    ordered = in_order(heads, after(5), AGEING, 10)
    assert [(d["rank"], d["queued_at"], d["position"]) for d in ordered] == [
        (CRITICAL, after(4), 0),
        (HIGH, after(3), 0),
        (NORMAL, after(1), 0),
        (NORMAL, after(1), 1),
        (NORMAL, after(2), 0),
        (LOW, after(0), 0),
    ]


def test_behind_fifty_thousand_low_ones_a_high_one_is_next() -> None:
    heads = [waiting(LOW, position=n) for n in range(50_000)] + [waiting(HIGH, since=100)]
    assert in_order(heads, after(101), AGEING, 1)[0]["rank"] == HIGH


@pytest.mark.parametrize(
    ("rank", "waited", "effective"),
    [
        (LOW, 0, LOW),
        (LOW, 1799, LOW),
        (LOW, 1800, NORMAL),
        (LOW, 3599, NORMAL),
        (LOW, 3600, HIGH),
        (LOW, 86_400, HIGH),
        (NORMAL, 1800, HIGH),
        (NORMAL, 86_400, HIGH),
        (HIGH, 86_400, HIGH),
        (CRITICAL, 86_400, CRITICAL),
    ],
)
def test_waiting_lifts_one_step_a_time_and_never_to_critical(rank: int, waited: float, effective: int) -> None:
    assert effective_rank(waiting(rank), after(waited), AGEING) == effective


def test_without_ageing_waiting_lifts_nothing() -> None:
    assert effective_rank(waiting(LOW), after(1e6), timedelta(0)) == LOW


def test_an_aged_low_one_goes_before_a_younger_normal_one() -> None:
    low, normal = waiting(LOW, since=0), waiting(NORMAL, since=10)
    assert in_order([normal, low], after(1800), AGEING, 1) == [low]
    assert in_order([normal, low], after(1799), AGEING, 1) == [normal]


def test_one_seen_twice_is_taken_once() -> None:
    assert len(in_order([waiting(LOW), waiting(LOW)], after(0), AGEING, 5)) == 1
