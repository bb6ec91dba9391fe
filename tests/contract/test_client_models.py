"""The client stands alone, and says the same as Kabar."""

import subprocess
import sys
from pathlib import Path

import pytest

from common.contracts import events
from common.contracts.event import Event
from common.contracts.requests import NotificationFields
from common.topology.declarations import EVENTS, FACTS
from kabar_client import bus
from kabar_client.events import FAMILIES, decode
from kabar_client.requests import Notify
from tests.contract.test_events import SAMPLES

OURS: tuple[type[Event], ...] = (events.DeliveryChanged, events.NotificationChanged, events.MessageReceived)
ANNOUNCED = [one for one in SAMPLES if issubclass(Event.catalogue[one.stem.rpartition(".v")[0]], OURS)]


@pytest.mark.parametrize("sample", ANNOUNCED, ids=lambda sample: sample.stem)
def test_every_event_that_is_told_is_read_whole(sample: Path) -> None:
    routing_key = sample.stem.rpartition(".v")[0]
    ours = Event.catalogue[routing_key].decode(sample.read_bytes())
    assert decode(routing_key, sample.read_bytes()).model_dump() == ours.model_dump()


def test_every_family_has_the_fields_of_ours() -> None:
    for mine, theirs in zip(FAMILIES.values(), OURS, strict=True):
        assert mine.model_fields.keys() == theirs.model_fields.keys()
        assert {n: f.annotation for n, f in mine.model_fields.items()} == {
            n: f.annotation for n, f in theirs.model_fields.items()
        }
    assert len(ANNOUNCED) >= 11


def test_what_may_be_asked_is_what_kabar_takes() -> None:
    assert set(Notify.__annotations__) - {"idempotency_key"} == set(NotificationFields.model_fields) - {"type"}


def test_the_exchange_is_kabars() -> None:
    assert EVENTS.name == bus.EXCHANGE
    assert "notification.requested" not in FACTS.routing_keys


def test_nothing_of_kabars_own_is_installed_with_it() -> None:
    loaded = "import sys, kabar_client; print(*sorted({n.partition('.')[0] for n in sys.modules}))"
    names = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True).stdout.split()
    assert not {"common", "api_gateway", "motor", "pymongo", "fastapi", "uvicorn", "structlog"} & set(names)
