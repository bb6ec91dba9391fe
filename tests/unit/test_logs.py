"""Whatever is logged by whichever way: one JSON object a line, numbers masked, secrets concealed."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from pymongo.errors import BulkWriteError

from common.telemetry import logs

NUMBER = "6281200000001"
GROUPS = ("120363000000000001@g.us", "6281200000001-1500000000@g.us")
TOKEN = 'tok"en\\of-fonnte'
OTHER_TOKEN = "another-token"
PASSWORD = "pass%40word"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    root, output = logging.getLogger(), io.StringIO()
    handlers, level, concealed = root.handlers[:], root.level, set(logs._concealed)
    monkeypatch.setattr(sys, "stdout", output)
    logs.configure_logs(service="dispatcher", instance="one")
    logs.conceal([f"{TOKEN},{OTHER_TOKEN}", f"amqp://kabar:{PASSWORD}@rabbitmq:5672/", "short"])
    yield output
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)
    logs._concealed.clear()
    logs._concealed.update(concealed)


def lines(output: io.StringIO) -> list[dict[str, Any]]:
    for secret in (*GROUPS, TOKEN, OTHER_TOKEN, PASSWORD, "pass@word", NUMBER, json.dumps(TOKEN)[1:-1]):
        assert secret not in output.getvalue()
    return [json.loads(line) for line in output.getvalue().splitlines()]


def refuse(result: dict[str, Any]) -> None:
    raise BulkWriteError(result)


def fail() -> None:
    raise RuntimeError(f"provider refused {NUMBER} for {TOKEN}")


def test_an_event_is_one_line_with_its_fields_and_who_said_it(written: io.StringIO) -> None:
    structlog.get_logger().info("attempt.succeeded", delivery_id="dlv_1", seconds=0.8123456789, ok=True, error=None)
    (line,) = lines(written)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "attempt.succeeded",
        "level": "info",
        "service": "dispatcher",
        "instance": "one",
        "delivery_id": "dlv_1",
        "seconds": 0.8123456789,
        "ok": True,
        "error": None,
    }


@pytest.mark.parametrize(
    "value",
    [
        NUMBER,
        int(NUMBER),
        [NUMBER],
        {"to": int(NUMBER)},
        {NUMBER: 1},
        (f"to {NUMBER}",),
        NUMBER.encode(),
        ValueError(NUMBER),
    ],
    ids=repr,
)
def test_a_number_is_masked_wherever_it_stands_in_a_field(written: io.StringIO, value: object) -> None:
    structlog.get_logger().warning("odd", value=value)
    (line,) = lines(written)
    assert "6281******001" in json.dumps(line)


@pytest.mark.parametrize(
    "value",
    ["half \ud800", 2**70, float("nan"), object(), {1: {2}}],
    ids=["half a character", "huge", "not a number", "an object", "a set"],
)
def test_no_value_is_so_odd_that_logging_it_fails(written: io.StringIO, value: object) -> None:
    structlog.get_logger().warning("odd", value=value)
    assert len(lines(written)) == 1


@pytest.mark.parametrize("secret", [TOKEN, OTHER_TOKEN, PASSWORD, "pass@word"])
def test_a_secret_is_concealed_wherever_it_stands(written: io.StringIO, secret: str) -> None:
    structlog.get_logger().warning(f"said {secret}", value={"header": [secret]})
    logging.getLogger("aio_pika").warning("could not use %s", secret)
    first, second = lines(written)
    assert first["value"] == {"header": ["[secret]"]}
    assert second["event"] == "could not use [secret]"


def test_tracebacks_are_clean_too(written: io.StringIO) -> None:
    try:
        fail()
    except RuntimeError as error:
        structlog.get_logger().error("handler.failed", exc_info=error)
        logging.getLogger("library").exception("for %s", NUMBER)
        logging.getLogger("library").warning("as an argument: %r", error)
    own, theirs, _ = lines(written)
    for line in (own, theirs):
        assert "RuntimeError: provider refused 6281******001 for [secret]" in line["exception"]
        assert "Traceback" in line["exception"]
    assert theirs["event"] == "for 6281******001"


@pytest.mark.parametrize("group", GROUPS)
def test_a_group_id_is_masked_like_a_number(written: io.StringIO, group: str) -> None:
    structlog.get_logger().warning(f"to {group}", value=[group])
    (line,) = lines(written)
    assert line["event"].endswith("@g.us")
    assert line["value"] == [line["event"].removeprefix("to ")]


def test_a_failed_write_is_logged_without_the_document(written: io.StringIO) -> None:
    text = "Kode Anda 4711"
    refused = {"index": 0, "code": 50, "errmsg": text, "op": {"_id": "dlv_1", "message": text}}
    try:
        refuse({"writeErrors": [refused], "writeConcernErrors": []})
    except BulkWriteError as error:
        structlog.get_logger().error("loop.failed", exc_info=error, value=error)
        logging.getLogger("library").exception("failed")
    assert text not in written.getvalue()
    own, theirs = lines(written)
    assert own["value"] == "BulkWriteError: 1 x 50"
    for line in (own, theirs):
        assert line["exception"].endswith("BulkWriteError: 1 x 50")


def test_what_libraries_say_below_a_warning_is_left_out(written: io.StringIO) -> None:
    logging.getLogger("aiormq").info("connected")
    logging.getLogger("aiormq").warning("lost")
    assert [line["event"] for line in lines(written)] == ["lost"]


def test_a_text_that_leaves_the_process_is_clean(written: io.StringIO) -> None:
    assert logs.clean(f"{TOKEN} {NUMBER} short") == "[secret] 6281******001 short"
    assert not written.getvalue()
