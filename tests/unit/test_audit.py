"""What the audit log keeps of a change, and that it is written before the change is made."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from api_gateway.application.audit_changes import AuditChanges
from api_gateway.application.ports import AuditEntry, AuditSelection
from api_gateway.domain.access import Caller
from api_gateway.domain.audit import HIDDEN, MOST_CHARACTERS, MOST_MEMBERS, Outcome, small
from api_gateway.domain.refusals import Unavailable, invalid, unavailable
from common.testing.clock import HandClock

NOW = datetime(2025, 11, 15, 3, 0, tzinfo=UTC)
SARI = Caller("sari", "noc", address="10.0.0.7")


class Entries:
    """In memory; away when told so."""

    def __init__(self) -> None:
        self.stored: dict[str, AuditEntry] = {}
        self.away = False

    async def add(self, entry: AuditEntry) -> None:
        self._reach()
        self.stored[entry.id] = entry

    async def settle(self, entry_id: str, outcome: Outcome, after: Mapping[str, Any] | None) -> None:
        self._reach()
        self.stored[entry_id] = replace(self.stored[entry_id], outcome=outcome, after=after)

    async def page(self, _: AuditSelection) -> list[AuditEntry]:
        return list(self.stored.values())

    def _reach(self) -> None:
        if self.away:
            raise unavailable("away")


def kept(entries: Entries) -> AuditEntry:
    (entry,) = entries.stored.values()
    return entry


def log(entries: Entries) -> AuditChanges:
    return AuditChanges(entries, HandClock(NOW))


async def test_a_change_that_is_made_is_done() -> None:
    entries = Entries()
    async with log(entries).changing(SARI, "sender.pause", "fonnte-1", before={"status": "available"}) as change:
        assert kept(entries).outcome is Outcome.UNKNOWN
        change.after = {"status": "paused"}
    entry = kept(entries)
    assert (entry.outcome, entry.before, entry.after) == (Outcome.DONE, {"status": "available"}, {"status": "paused"})
    assert (entry.actor, entry.role, entry.address, entry.at) == ("sari", "noc", "10.0.0.7", NOW)


async def test_nothing_is_changed_while_its_entry_cannot_be_written() -> None:
    entries = Entries()
    entries.away = True
    with pytest.raises(Unavailable):
        async with log(entries).changing(SARI, "sender.pause", "fonnte-1"):
            pytest.fail("the change was made")


async def test_a_refused_change_says_so() -> None:
    entries = Entries()
    with pytest.raises(Exception, match="wrong"):
        async with log(entries).changing(SARI, "delivery.retry", "dlv_1"):
            raise invalid("x", "wrong")
    assert kept(entries).outcome is Outcome.REFUSED
    assert kept(entries).after == {"code": "VALIDATION_ERROR"}


@pytest.mark.parametrize("failure", [unavailable("away"), RuntimeError("a defect")])
async def test_a_change_that_may_have_been_made_stays_unknown(failure: Exception) -> None:
    entries = Entries()
    with pytest.raises(type(failure)):
        async with log(entries).changing(SARI, "queue.clear", "whatsapp"):
            raise failure
    assert kept(entries).outcome is Outcome.UNKNOWN


async def test_a_change_that_was_made_is_answered_although_its_end_cannot_be_written() -> None:
    entries = Entries()
    async with log(entries).changing(SARI, "queue.clear", "whatsapp"):
        entries.away = True
    assert kept(entries).outcome is Outcome.UNKNOWN


async def test_a_note_is_one_entry() -> None:
    entries = Entries()
    await log(entries).note(SARI, "suppression.add", "6281200000001", after={"reason": "opt_out"})
    assert kept(entries).targets == ["6281******001"]
    assert kept(entries).outcome is Outcome.DONE


def test_numbers_are_masked_and_secrets_left_out_however_deep() -> None:
    value = {
        "to": ["6281200000001", "+62 812-0000-0002"],
        "api_key": "kbr_x",
        "nested": {"webhook_secret": "s", "note": "call 081200000003"},
        "6281200000004": 1,
    }
    assert small(value) == {
        "to": ["6281******001", "+62 **********002"],
        "api_key": HIDDEN,
        "nested": {"webhook_secret": HIDDEN, "note": "call 0812*****003"},
        "6281******004": 1,
    }


def test_what_is_kept_is_small() -> None:
    deep: Any = "x"
    for _ in range(50):
        deep = {"a": deep}
    cut = small({"text": "x" * 5_000, "list": list(range(1_000)), "deep": deep})
    assert len(cut["text"]) == MOST_CHARACTERS
    assert len(cut["list"]) == MOST_MEMBERS
    assert str(cut["deep"]).count("{") < 10
