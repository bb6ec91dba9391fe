"""What is said of an exception holds no document and no input, wherever it is said."""

from typing import NoReturn

import pytest
from bson import BSON
from bson.errors import InvalidDocument
from pydantic import ValidationError
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, WriteError

from common.contracts.events import NotificationAccepted
from common.kernel.failures import Transient
from common.messaging.verdict import Bury, Retry, verdict
from common.mongo.collection import WriteFailed, WriteUnconfirmed, write_failed
from common.mongo.connection import UNAVAILABLE
from common.telemetry.failures import summary, trace

TEXT = "Kode Anda 4711"
DOCUMENT = {"_id": "dlv_1", "message": TEXT}
REFUSED = {"index": 0, "code": 11000, "errmsg": f"dup key {TEXT}", "keyValue": {"m": TEXT}, "op": DOCUMENT}


def refused(code: int) -> dict[str, object]:
    return {**REFUSED, "code": code}


def batch(*codes: int, unconfirmed: tuple[int, ...] = ()) -> dict[str, object]:
    return {
        "writeErrors": [refused(code) for code in codes],
        "writeConcernErrors": [{"code": code, "errmsg": TEXT, "errInfo": {"wtimeout": True}} for code in unconfirmed],
        "nInserted": 3,
        "upserted": [DOCUMENT],
    }


def raised(error: Exception) -> Exception:
    """The same with a traceback and something that led to it."""
    try:
        try:
            refuse()
        except WriteError as cause:
            raise error from cause
    except type(error) as caught:
        return caught


def refuse() -> NoReturn:
    raise WriteError(TEXT, 121, {"errmsg": TEXT, "codeName": "DocumentValidationFailure"})


DRIVERS = [
    (BulkWriteError(batch(11000, 11000, 50)), "BulkWriteError: 2 x 11000, 1 x 50"),
    (DuplicateKeyError(TEXT, 11000, {"errmsg": TEXT, "keyValue": DOCUMENT}), "DuplicateKeyError: code 11000"),
    (WriteError(TEXT, 28, DOCUMENT), "WriteError: code 28"),
    (
        OperationFailure(TEXT, 18, {"codeName": "AuthenticationFailed"}),
        "OperationFailure: code 18 AuthenticationFailed",
    ),
    (write_failed(batch(11000)), "WriteFailed: writes failed with 1 x 11000"),
]


@pytest.mark.parametrize(("error", "said"), DRIVERS, ids=lambda value: type(value).__name__)
def test_of_the_drivers_errors_only_codes_and_counts_are_said(error: Exception, said: str) -> None:
    assert summary(error) == said
    traced = trace(raised(error))
    assert TEXT not in traced
    assert traced.endswith(said)
    assert "WriteError: code 121 DocumentValidationFailure" in traced
    assert "direct cause" in traced
    assert verdict(error, 2) == Bury(said)


def test_what_cannot_be_encoded_is_not_said() -> None:
    with pytest.raises(InvalidDocument) as refusal:
        BSON.encode({"message": {TEXT: object()}, "text": TEXT})
    assert TEXT not in trace(refusal.value)


def test_what_is_not_valid_is_named_without_its_value() -> None:
    with pytest.raises(ValidationError) as refusal:
        NotificationAccepted.decode(b'{"notification_ids": "%b"}' % TEXT.encode())
    assert TEXT in str(refusal.value)
    assert TEXT not in trace(refusal.value)
    assert "notification_ids: " in summary(refusal.value)


def test_a_group_of_failures_and_a_circle_of_causes_are_said_in_full() -> None:
    group = ExceptionGroup("several", [BulkWriteError(batch(11000)), KeyError("provider")])
    assert "BulkWriteError: 1 x 11000" in trace(group)
    assert "KeyError: 'provider'" in trace(group)
    first, second = KeyError("one"), KeyError("two")
    first.__cause__, second.__cause__ = second, first
    assert trace(first).count("KeyError") == 2


@pytest.mark.parametrize(
    "result",
    [batch(50), batch(11000, 91), batch(unconfirmed=(64,)), batch(11000, unconfirmed=(64,)), batch(112, 11600)],
    ids=["took too long", "shutting down", "not confirmed", "duplicate, not confirmed", "conflict"],
)
def test_a_batch_that_only_time_kept_from_being_written_is_waited_for(result: dict[str, object]) -> None:
    error = write_failed(result)
    assert isinstance(error, WriteUnconfirmed)
    assert isinstance(error, Transient)
    assert isinstance(error, UNAVAILABLE)
    assert isinstance(verdict(error, 10), Retry)
    assert TEXT not in f"{error} {error!r} {error.details}"


@pytest.mark.parametrize("result", [batch(11000), batch(121), batch(50, 121)])
def test_a_batch_that_was_refused_is_not_waited_for_and_still_tells_its_callers_why(result: dict[str, object]) -> None:
    error = write_failed(result)
    assert type(error) is WriteFailed
    assert isinstance(error, BulkWriteError)
    assert error.details["writeErrors"][0]["op"] == {"_id": "dlv_1"}
    assert error.details["nInserted"] == 3
    assert not error.details["writeConcernErrors"]
    assert TEXT not in f"{error} {error!r} {error.details}"


def test_a_majority_that_did_not_confirm_is_a_timeout_for_callers_too() -> None:
    assert write_failed(batch(unconfirmed=(64,))).timeout
