"""Nothing is kept of people that nobody has thought about: every field of what is stored is written down."""

import typing
from datetime import UTC, datetime

import pytest

from common.contracts import documents
from common.contracts.directory import ROWS
from common.contracts.tellings import OURS
from common.mongo.indexes import INDEXES
from common.mongo.personal import HOLDINGS, emptied

DOCUMENTS = {
    "notifications": documents.NotificationDocument,
    "deliveries": documents.DeliveryDocument,
    "suppressions": documents.SuppressionDocument,
}


def told_of(collection: str) -> set[str]:
    """The fields `HOLDINGS` speaks of, without what is inside of them."""
    holding = HOLDINGS[collection]
    return {name.partition("[")[0].partition(".")[0] for name in holding.emptied} | holding.kept


def fields_of(collection: str) -> set[str]:
    if collection in DOCUMENTS:
        return set(typing.get_type_hints(DOCUMENTS[collection]))
    return (set(ROWS[collection].model_fields) - {"id"}) | OURS


@pytest.mark.parametrize("collection", [*DOCUMENTS, "tickets", "invoices"])
def test_every_field_of_a_document_is_said_to_be_emptied_or_kept(collection: str) -> None:
    assert fields_of(collection) == told_of(collection)
    assert not set(HOLDINGS[collection].emptied) & HOLDINGS[collection].kept


def test_every_field_of_an_entry_is_thought_of() -> None:
    """What is in a timeline or an attempt besides these names nobody."""
    inner = {name.partition("[].")[2] for name in HOLDINGS["deliveries"].emptied if "[]." in name}
    timeline, attempts = (set(typing.get_type_hints(one)) for one in (documents.TimelineEntry, documents.PastAttempt))
    assert timeline == {"at", "status", "cause", "revision"}
    assert attempts - inner == {
        "number",
        "provider",
        "sender",
        "outcome",
        "code",
        "started_at",
        "finished_at",
        "traceparent",
    }


def test_every_collection_with_an_index_is_written_down() -> None:
    assert not set(INDEXES) - set(HOLDINGS)


def test_every_holding_says_how_long_it_stays() -> None:
    assert all(holding.stays for holding in HOLDINGS.values())


def test_emptying_reaches_into_lists_and_leaves_the_rest_of_them() -> None:
    set_, unset = emptied("deliveries", contents_removed_at=datetime(2025, 11, 15, tzinfo=UTC))
    assert set_["$set"]["timeline"]["$map"]["in"]["$setField"]["field"] == "cause"
    assert "message" in set_["$set"]
    assert unset == {"$unset": ["subject_line", "called_off_code", "invoice_id", "dead_at"]}
