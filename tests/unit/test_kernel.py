"""Identities sort by age and repeat where they must; clocks keep what MongoDB keeps."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from common.contracts.vocabulary import DeliveryStatus, Priority
from common.kernel.clock import SystemClock, to_milliseconds
from common.kernel.identity import delivery_id, new_id
from common.testing.clock import HandClock


def test_identities_are_unique_and_sort_by_the_millisecond_they_were_made_in() -> None:
    made = [new_id("ntf") for _ in range(2_000)]
    assert len(set(made)) == 2_000
    moments = [identity[:16] for identity in made]
    assert moments == sorted(moments)


def test_a_delivery_has_the_same_identity_however_often_it_is_planned() -> None:
    notification = new_id("ntf")
    planned = {delivery_id(notification, "whatsapp", "6281200000001") for _ in range(3)}
    assert len(planned) == 1
    assert planned.pop().startswith(notification.replace("ntf_", "dlv_"))


@given(st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)), unique=True, max_size=20))
def test_deliveries_to_different_places_have_different_identities(places: list[tuple[str, str, str]]) -> None:
    separable = [place for place in places if "\x1f" not in "".join(place)]
    assert len({delivery_id("ntf_1", *place) for place in separable}) == len(separable)


def test_clocks_tell_whole_milliseconds_in_utc() -> None:
    now = SystemClock().now()
    assert now.tzinfo is UTC
    assert now.microsecond % 1000 == 0
    assert abs(datetime.now(UTC) - now) < timedelta(seconds=5)
    assert to_milliseconds(datetime(2025, 1, 1, 0, 0, 0, 999_999, UTC)).microsecond == 999_000


def test_a_hand_clock_stands_still_until_it_is_moved() -> None:
    clock = HandClock()
    before = clock.now()
    assert clock.now() == before
    clock.advance(1.5)
    assert clock.now() - before == timedelta(seconds=1.5)


def test_priorities_have_the_order_in_which_they_go() -> None:
    assert sorted(Priority, key=lambda priority: priority.rank) == [
        Priority.CRITICAL,
        Priority.HIGH,
        Priority.NORMAL,
        Priority.LOW,
    ]


def test_every_status_is_spelled_like_its_name() -> None:
    assert all(status.value == status.name.lower() for status in DeliveryStatus)
