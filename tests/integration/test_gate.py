"""What the gate answers, step by step, at moments the test chooses; the pipeline is the real one in a real mongod."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from common.mongo.connection import Collection, connect
from common.mongo.gate import EXACT_ENTRIES, LATENESS, LEAD, Granted, Limits, MongoGate, Wait, usage

START = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
PACED = Limits(gap=10)


@pytest.fixture
async def senders(mongodb_url: str) -> AsyncIterator[Collection]:
    async with connect(mongodb_url, name="test") as mongo:
        yield mongo["senders"]


def at(senders: Collection, seconds: float = 0) -> MongoGate:
    """The gate as it answers so many seconds after the start."""
    return MongoGate(senders, now=START + timedelta(seconds=seconds))


async def granted(gate: MongoGate, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Granted:
    answer = await gate.grant("fonnte-1", limits, want=want, skip_gap=skip_gap)
    assert isinstance(answer, Granted)
    return answer


async def refused(gate: MongoGate, limits: Limits, *, want: int = 1, skip_gap: bool = False) -> Wait:
    answer = await gate.grant("fonnte-1", limits, want=want, skip_gap=skip_gap)
    assert isinstance(answer, Wait)
    return answer


async def test_the_first_slot_is_now_and_the_next_one_a_gap_later(senders: Collection) -> None:
    assert (await granted(at(senders), PACED)).slot == START
    wait = await refused(at(senders, 1), PACED)
    assert (wait.until, wait.window) == (START + timedelta(seconds=10) - LEAD, None)
    assert wait.seconds == pytest.approx(9 - LEAD.total_seconds())


async def test_a_slot_is_granted_ahead_so_that_the_way_to_the_provider_costs_nothing(senders: Collection) -> None:
    slots = [(await granted(at(senders), PACED)).slot]
    for _ in range(20):
        wait = await refused(MongoGate(senders, now=slots[-1] + timedelta(seconds=1)), PACED)
        slots.append((await granted(MongoGate(senders, now=wait.until), PACED)).slot)
    assert slots == [START + timedelta(seconds=10 * n) for n in range(21)]


async def test_an_idle_sender_saves_up_no_slots(senders: Collection) -> None:
    await granted(at(senders), PACED)
    assert (await granted(at(senders, 3600), PACED)).slot == START + timedelta(hours=1)
    await refused(at(senders, 3601), PACED)


async def test_a_full_window_says_its_name_and_when_its_oldest_grant_ends(senders: Collection) -> None:
    limits = Limits(per_minute=2, per_hour=3)
    await granted(at(senders, 0), limits)
    await granted(at(senders, 5), limits)
    wait = await refused(at(senders, 6), limits)
    assert (wait.until, wait.window) == (START + timedelta(seconds=60) + LATENESS, "minute")
    await granted(MongoGate(senders, now=wait.until), limits)
    assert (await refused(at(senders, 130), limits)).window == "hour"


async def test_a_wait_names_no_window_that_is_not_limited_any_more(senders: Collection) -> None:
    await granted(at(senders), Limits(per_minute=1, per_hour=1))
    assert (await refused(at(senders, 1), Limits(per_minute=1, per_hour=1))).window == "hour"
    assert (await refused(at(senders, 1), Limits(per_minute=1))).window == "minute"


async def test_an_unpaced_gate_grants_many_at_once_but_never_more_than_is_left(senders: Collection) -> None:
    limits = Limits(per_minute=7)
    assert (await granted(at(senders), limits, want=5)).count == 5
    assert (await granted(at(senders), limits, want=5)).count == 2
    await refused(at(senders), limits, want=5)


async def test_without_any_limit_everything_is_granted_at_once(senders: Collection) -> None:
    for _ in range(3):
        assert (await granted(at(senders), Limits(), want=500)).count == 500


async def test_a_lowered_limit_refuses_until_enough_grants_have_passed(senders: Collection) -> None:
    await granted(at(senders, 0), Limits(per_minute=10), want=8)
    await granted(at(senders, 30), Limits(per_minute=10), want=2)
    await refused(at(senders, 31), Limits(per_minute=2))
    wait = await refused(at(senders, 61), Limits(per_minute=2))
    assert wait.until == START + timedelta(seconds=90) + LATENESS


async def test_what_is_critical_skips_the_gap_but_not_the_limits_and_moves_those_behind_it(senders: Collection) -> None:
    limits = Limits(gap=10, per_minute=3)
    await granted(at(senders, 0), limits)
    assert (await granted(at(senders, 1), limits, skip_gap=True)).slot == START + timedelta(seconds=1)
    assert (await refused(at(senders, 10), limits)).until == START + timedelta(seconds=11) - LEAD
    await granted(at(senders, 10), limits, skip_gap=True)
    assert (await refused(at(senders, 11), limits, skip_gap=True)).window == "minute"


async def test_what_skips_the_gap_brings_no_slot_nearer(senders: Collection) -> None:
    await granted(at(senders, 0), PACED)
    ahead = START + timedelta(seconds=10) - LEAD
    await granted(MongoGate(senders, now=ahead), PACED)
    await granted(MongoGate(senders, now=ahead), PACED, skip_gap=True)
    assert (await refused(at(senders, 15), PACED)).until == START + timedelta(seconds=20) - LEAD


async def test_a_slot_given_back_is_there_for_the_next_one(senders: Collection) -> None:
    limits = Limits(gap=10, per_minute=2, per_hour=600)
    first = await granted(at(senders), limits)
    await at(senders).give_back("fonnte-1", first)
    assert (await granted(at(senders, 0.001), limits)).slot == START + timedelta(milliseconds=1)
    second = await granted(at(senders, 10), limits)
    await at(senders).give_back("fonnte-1", second)
    assert (await granted(at(senders, 10), limits)).count == 1


async def test_a_slot_can_be_given_back_though_somebody_asked_in_vain_meanwhile(senders: Collection) -> None:
    grant = await granted(at(senders), PACED)
    await refused(at(senders, 1), PACED)
    await at(senders).give_back("fonnte-1", grant)
    await granted(at(senders, 1), PACED)


async def test_a_grant_is_given_back_once_whatever_was_granted_after_it(senders: Collection) -> None:
    limits = Limits(per_minute=3)
    await granted(at(senders), limits)
    first = await granted(at(senders), limits)
    second = await granted(at(senders, 1), limits)
    for grant in (first, first, second, second, first):
        await at(senders).give_back("fonnte-1", grant)
    assert (await granted(at(senders, 2), limits, want=5)).count == 2
    await at(senders).give_back("fonnte-1", first)
    assert (await refused(at(senders, 3), limits)).window == "minute"


async def test_giving_back_leaves_another_grant_of_the_same_millisecond_alone(senders: Collection) -> None:
    limits = Limits(per_minute=10)
    await granted(at(senders), limits, want=5)
    second = await granted(at(senders), limits, want=3)
    await at(senders).give_back("fonnte-1", second)
    assert (await granted(at(senders), limits, want=10)).count == 5


async def test_part_of_a_grant_given_back_is_there_for_others_and_the_rest_still_counts(senders: Collection) -> None:
    limits = Limits(per_minute=10, per_hour=600)
    grant = await granted(at(senders), limits, want=10)
    await at(senders).give_back("fonnte-1", grant, unused=4)
    await at(senders).give_back("fonnte-1", grant, unused=4)
    assert (await granted(at(senders, 1), limits, want=10)).count == 4
    assert (await refused(at(senders, 2), limits)).until == START + timedelta(seconds=60) + LATENESS


async def test_giving_back_what_skipped_the_gap_keeps_the_pacing_of_the_others(senders: Collection) -> None:
    await granted(at(senders, 0), PACED)
    critical = await granted(at(senders, 4), PACED, skip_gap=True)
    await at(senders).give_back("fonnte-1", critical)
    assert (await refused(at(senders, 5), PACED)).until == START + timedelta(seconds=10) - LEAD


async def test_giving_back_does_not_undo_a_move_made_meanwhile(senders: Collection) -> None:
    await granted(at(senders, 0), PACED)
    ahead = await granted(MongoGate(senders, now=START + timedelta(seconds=10) - LEAD), PACED)
    critical = await granted(MongoGate(senders, now=START + timedelta(seconds=10) - LEAD), PACED, skip_gap=True)
    assert await at(senders).move("fonnte-1", slot=ahead.slot, gap=10, to=START + timedelta(seconds=12))
    await at(senders).give_back("fonnte-1", critical)
    assert (await refused(at(senders, 13), PACED)).until == START + timedelta(seconds=22) - LEAD


async def test_a_late_call_moves_the_next_slot_and_the_windows(senders: Collection) -> None:
    limits = Limits(gap=10, per_minute=1)
    grant = await granted(at(senders), limits)
    late = START + timedelta(seconds=3)
    assert await at(senders).move("fonnte-1", slot=grant.slot, gap=10, to=late)
    assert (await refused(at(senders, 4), limits)).until == late + timedelta(seconds=60) + LATENESS
    assert (await refused(at(senders, 12), PACED)).until == late + timedelta(seconds=10) - LEAD


async def test_once_the_next_slot_is_given_away_a_call_only_moves_behind_it(senders: Collection) -> None:
    first = await granted(at(senders), PACED)
    await granted(at(senders, 10), PACED)
    late = START + timedelta(seconds=10.1)
    assert await at(senders).move("fonnte-1", slot=first.slot, gap=10, to=late) is None
    assert await at(senders).move("fonnte-1", slot=first.slot, gap=10, to=late, behind=9.8) is None
    behind = await at(senders).move("fonnte-1", slot=first.slot, gap=10, to=late, behind=9.9)
    assert behind == START + timedelta(seconds=20)
    assert (await refused(at(senders, 25), PACED)).until == START + timedelta(seconds=30) - LEAD


async def entries(senders: Collection, window: str) -> list[tuple[float, int]]:
    """What the gate keeps of a window: seconds after the start, and how many."""
    document = await senders.find_one({"_id": "fonnte-1"})
    assert document is not None
    return [((entry["at"] - START).total_seconds(), entry["n"]) for entry in document["gate"][window]]


async def dated(senders: Collection, grant: Granted, to: float) -> bool:
    return await at(senders).date("fonnte-1", slot=grant.slot, to=START + timedelta(seconds=to))


async def test_a_call_that_nothing_paces_is_dated_later_whatever_was_granted_after_it(senders: Collection) -> None:
    limits = Limits(per_minute=3, per_hour=5)
    first = await granted(at(senders, 0), limits)
    await granted(at(senders, 1), limits)
    await granted(at(senders, 3), limits)
    assert await dated(senders, first, 2)
    assert await entries(senders, "minute") == await entries(senders, "hour") == [(2, 1), (2, 1), (3, 1)]
    assert (await refused(at(senders, 4), limits)).until == START + timedelta(seconds=62) + LATENESS


async def test_what_was_dated_later_is_found_again_and_never_dated_back(senders: Collection) -> None:
    limits = Limits(per_minute=2)
    grant = await granted(at(senders, 0), limits, want=2)
    assert await dated(senders, grant, 3)
    assert await dated(senders, grant, 2)
    assert await entries(senders, "minute") == [(3, 2)]
    assert await dated(senders, grant, 5)
    assert await entries(senders, "minute") == [(5, 2)]


async def test_a_grant_that_shares_its_entry_is_dated_later_with_it(senders: Collection) -> None:
    limits = Limits(per_hour=1_000)
    fraction = timedelta(milliseconds=3_600_000 // EXACT_ENTRIES)
    begin = (fraction - (START - datetime(1970, 1, 1, tzinfo=UTC)) % fraction).total_seconds()
    first = await granted(at(senders, begin), limits, want=10)
    await granted(at(senders, begin + 3), limits, want=20)
    assert await dated(senders, first, begin + 2)
    assert await entries(senders, "hour") == [(begin + 3, 30)]
    assert await dated(senders, first, begin + 6)
    assert await entries(senders, "hour") == [(begin + 6, 30)]


async def test_what_follows_a_critical_call_keeps_the_gap_from_when_it_was_made(senders: Collection) -> None:
    critical = await granted(at(senders, 0), PACED, skip_gap=True)
    assert await dated(senders, critical, 4)
    assert (await refused(at(senders, 5), PACED)).until == START + timedelta(seconds=14) - LEAD


async def test_a_critical_call_dated_later_brings_no_slot_nearer(senders: Collection) -> None:
    critical = await granted(at(senders, 0), PACED, skip_gap=True)
    await granted(at(senders, 10), PACED)
    assert await dated(senders, critical, 9)
    assert (await refused(at(senders, 11), PACED)).until == START + timedelta(seconds=20) - LEAD


async def test_giving_back_keeps_the_gap_from_a_critical_call_dated_later_meanwhile(senders: Collection) -> None:
    critical = await granted(at(senders, 0), PACED, skip_gap=True)
    paced = await granted(at(senders, 10), PACED)
    assert await dated(senders, critical, 10.5)
    await at(senders).give_back("fonnte-1", paced)
    assert (await refused(at(senders, 11), PACED)).until == START + timedelta(seconds=20.5) - LEAD


async def test_a_grant_dated_later_is_not_given_back_and_neither_is_another_in_its_place(senders: Collection) -> None:
    limits = Limits(per_minute=5)
    first = await granted(at(senders, 0), limits)
    second = await granted(at(senders, 1), limits, want=2)
    assert await dated(senders, first, 2)
    await at(senders).give_back("fonnte-1", second)
    assert (await granted(at(senders, 3), limits, want=5)).count == 2


async def test_a_grant_that_a_window_may_have_forgotten_cannot_be_dated_later(senders: Collection) -> None:
    limits = Limits(gap=10, per_minute=1, per_hour=1)
    grant = await granted(at(senders, 0), limits)
    await refused(at(senders, 60.249), limits)
    assert await dated(senders, grant, 0.5)
    await refused(at(senders, 60.25), limits)
    assert not await dated(senders, grant, 61)
    assert not await at(senders).move("fonnte-1", slot=grant.slot, gap=10, to=START + timedelta(seconds=61))
    assert not await at(senders).date("fonnte-2", slot=grant.slot, to=START)


async def test_a_reset_empties_the_windows_and_keeps_the_gap(senders: Collection) -> None:
    limits = Limits(gap=10, per_day=1)
    assert not await at(senders).reset("fonnte-1")
    await granted(at(senders), limits)
    assert (await refused(at(senders, 60), limits)).window == "day"
    assert await at(senders, 60).reset("fonnte-1")
    await granted(at(senders, 60), limits)
    await at(senders, 60).reset("fonnte-1")
    assert (await refused(at(senders, 61), limits)).until == START + timedelta(seconds=70) - LEAD


async def test_above_the_exact_entries_the_document_stays_small_and_the_limit_exact(senders: Collection) -> None:
    limits = Limits(per_hour=10_000)
    moment = START
    for _ in range(600):
        moment += timedelta(seconds=7, milliseconds=31)
        await granted(MongoGate(senders, now=moment), limits, want=16)
    document = await senders.find_one({"_id": "fonnte-1"})
    assert document is not None
    assert 400 < len(document["gate"]["hour"]) <= 514
    left = 10_000 - sum(entry["n"] for entry in document["gate"]["hour"] if moment - entry["at"] < timedelta(hours=1))
    assert (await granted(MongoGate(senders, now=moment), limits, want=10_000)).count == left


async def test_an_update_that_comes_with_an_older_time_is_answered_as_of_the_newer_one(senders: Collection) -> None:
    limits = Limits(per_minute=1)
    await granted(at(senders, 0), limits)
    assert (await granted(at(senders, 60.25), limits)).slot == START + timedelta(seconds=60.25)
    await refused(at(senders, 60), limits)
    assert (await granted(at(senders, 59), PACED, skip_gap=True)).slot == START + timedelta(seconds=60.25)


async def test_grants_that_share_an_entry_count_until_the_last_of_them_has_passed(senders: Collection) -> None:
    limits = Limits(per_hour=1_000)
    fraction = timedelta(milliseconds=3_600_000 // EXACT_ENTRIES)
    first = START + fraction - (START - datetime(1970, 1, 1, tzinfo=UTC)) % fraction
    last = first + timedelta(seconds=6)
    await granted(MongoGate(senders, now=first), limits, want=500)
    await granted(MongoGate(senders, now=last), limits, want=500)
    wait = await refused(MongoGate(senders, now=last), limits)
    assert wait.until == last + timedelta(hours=1) + LATENESS
    assert (await granted(MongoGate(senders, now=wait.until), limits, want=5_000)).count == 1_000


async def test_usage_reads_what_the_gate_keeps(senders: Collection) -> None:
    limits = Limits(gap=10, per_minute=2, per_hour=5)
    await granted(at(senders, 0), limits)
    await granted(MongoGate(senders, now=START + timedelta(seconds=10) - LEAD), limits)
    document = await senders.find_one({"_id": "fonnte-1"})
    assert document is not None
    minute, hour = usage(document["gate"], limits, START + timedelta(seconds=11))
    assert (minute.used, minute.reset_at) == (2, START + timedelta(seconds=60) + LATENESS)
    assert (hour.used, hour.reset_at) == (2, None)
    later = usage(document["gate"], limits, START + timedelta(seconds=65))
    assert [window.used for window in later] == [1, 2]


async def test_the_servers_own_clock_decides(senders: Collection) -> None:
    gate = MongoGate(senders)
    assert abs((await granted(gate, PACED)).slot - datetime.now(UTC)) < timedelta(seconds=5)
    assert 9 < (await refused(gate, PACED)).seconds <= 10
