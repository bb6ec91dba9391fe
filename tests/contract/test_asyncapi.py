"""The document other services build on says what the models say, and its examples can be read."""

import json
from pathlib import Path
from typing import Any

from common.contracts import facts
from common.contracts.event import Event
from common.topology.asyncapi import rendered
from common.topology.declarations import ANNOUNCEMENTS, FACTS, REQUESTS

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "tests" / "contract" / "samples"
DOCUMENT: dict[str, Any] = json.loads(rendered(SAMPLES))


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return own.union(*(references(one) for one in part.values()))
    return set().union(*(references(one) for one in part)) if isinstance(part, list) else set()


def found(reference: str) -> Any:
    here: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        here = here[name]
    return here


def test_the_file_is_what_the_models_say() -> None:
    written = (ROOT / "docs" / "asyncapi.json").read_text()
    command = "python -m common.topology.asyncapi tests/contract/samples > docs/asyncapi.json"
    assert written == rendered(SAMPLES), f"run: uv run {command}"


def test_everything_others_may_publish_and_are_told_has_a_channel_and_nothing_else_has() -> None:
    received = {one["channel"]["$ref"] for one in DOCUMENT["operations"].values() if one["action"] == "receive"}
    sent = {one["channel"]["$ref"] for one in DOCUMENT["operations"].values() if one["action"] == "send"}
    assert received == {f"#/channels/{key}" for key in {*FACTS.routing_keys, *REQUESTS.routing_keys}}
    assert sent == {f"#/channels/{key}" for key in ANNOUNCEMENTS.routing_keys}
    assert DOCUMENT["channels"].keys() == {one.removeprefix("#/channels/") for one in received | sent}


def test_every_reference_leads_somewhere() -> None:
    assert references(DOCUMENT)
    for reference in references(DOCUMENT):
        assert found(reference)


def test_every_message_has_an_example_that_its_model_reads() -> None:
    for message in DOCUMENT["components"]["messages"].values():
        for example in message["examples"]:
            event = Event.catalogue[message["name"]].decode(json.dumps(example["payload"]).encode())
            assert example["payload"].keys() <= event.model_dump().keys()


def test_names_are_written_as_the_samples_write_them() -> None:
    schema = DOCUMENT["components"]["schemas"][facts.InvoicePaid.__name__]
    assert {"event_id", "occurred_at", "version", "due_date"} <= schema["properties"].keys()
    assert {"event_id", "occurred_at", "id"} <= set(schema["required"])


def test_it_is_said_what_each_event_means() -> None:
    for message in DOCUMENT["components"]["messages"].values():
        assert len(message["description"]) > 20
        assert "BaseModel" not in message["description"]
