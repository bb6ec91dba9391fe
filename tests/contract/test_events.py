"""What was ever published can still be read: one sample of every version of every event."""

import json
import re
from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import ValidationError

from common.contracts import events, facts
from common.contracts.event import Event
from common.contracts.events import NotificationAccepted

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))
KEY = re.compile(r"^[a-z]+\.[a-z_]+(\.v\d+)?$")
MODULES = (events, facts)
CATALOGUE = {k: e for k, e in Event.catalogue.items() if e.__module__ in {module.__name__ for module in MODULES}}


def event_of(sample: Path) -> type[Event]:
    key, version = re.fullmatch(r"(.+)\.v(\d+)", sample.stem).groups()  # type: ignore[union-attr]
    return CATALOGUE[key if version == "1" else f"{key}.v{version}"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_every_sample_can_be_read_and_loses_nothing(sample: Path) -> None:
    body = sample.read_bytes()
    event = event_of(sample).decode(body)
    again = type(event).decode(event.encode())
    assert again == event
    assert json.loads(body).keys() <= json.loads(event.encode()).keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_field_that_came_later_does_no_harm_to_an_older_reader(sample: Path) -> None:
    body = json.loads(sample.read_bytes())
    assert event_of(sample).decode(json.dumps({**body, "added_later": [1, {"a": None}]}).encode()) == event_of(
        sample
    ).decode(sample.read_bytes())


def test_every_event_has_a_sample_and_every_sample_an_event() -> None:
    assert {event_of(sample) for sample in SAMPLES} == set(CATALOGUE.values())


def test_the_catalogue_knows_every_event_under_its_own_key() -> None:
    kinds = [kind for module in MODULES for kind in vars(module).values() if isinstance(kind, type)]
    declared = {kind for kind in kinds if issubclass(kind, Event) and "routing_key" in vars(kind)}
    assert set(CATALOGUE.values()) == declared
    assert all(event.routing_key == key for key, event in CATALOGUE.items())
    assert all(KEY.match(key) for key in CATALOGUE)


def test_no_field_has_the_name_of_something_every_event_has() -> None:
    """Or what is left out would be taken from there."""
    assert not [(key, name) for key, event in CATALOGUE.items() for name in event.model_fields if hasattr(Event, name)]


@pytest.mark.parametrize("event", [e for e in CATALOGUE.values() if issubclass(e, facts.RowFact)])
def test_a_fact_tells_what_it_says_and_nothing_else(event: type[facts.RowFact]) -> None:
    said = event.decode(b'{"event_id": "evt_1", "occurred_at": "2025-11-15T03:00:00Z", "id": "R-1"}')
    assert said.telling().model_dump(exclude_none=True) == {"id": "R-1", **event.implies}


def test_two_events_cannot_share_a_routing_key() -> None:
    with pytest.raises(TypeError, match=r"share the routing key notification\.accepted"):

        class NotificationTakenIn(Event):
            routing_key: ClassVar[str] = NotificationAccepted.routing_key

    assert Event.catalogue["notification.accepted"] is NotificationAccepted


def test_an_event_cannot_be_changed() -> None:
    event = NotificationAccepted(notification_ids=["ntf_1"])
    with pytest.raises(ValidationError):
        event.notification_ids = []  # type: ignore[misc]
