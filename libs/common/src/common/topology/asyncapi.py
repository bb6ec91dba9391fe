"""The bus as other services see it, in AsyncAPI 3: what they may publish, and what they are told.

`python -m common.topology.asyncapi tests/contract/samples > docs/asyncapi.json`
"""

import json
import sys
from collections.abc import Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

from common.contracts.event import Event
from common.contracts.events import DeliveryChanged, MessageReceived, NotificationChanged
from common.contracts.facts import Fact
from common.topology.declarations import EVENTS

PUBLISHED_BY_OTHERS: tuple[type[Event], ...] = (Fact,)
TOLD_TO_OTHERS: tuple[type[Event], ...] = (DeliveryChanged, NotificationChanged, MessageReceived)
_SCHEMAS = "#/components/schemas/{model}"
_DESCRIPTION = (
    f"JSON over AMQP 0-9-1, on the durable topic exchange `{EVENTS.name}`; an event's routing key is its channel's "
    "address. Publish with confirms, `mandatory` and persistent, and with `message_id` = `event_id`. Events may come "
    "twice and out of order: `event_id` is the same however often one is told, and the highest `version` holds. Only "
    "new fields are ever added."
)


def asyncapi(samples: Mapping[str, Any]) -> dict[str, Any]:
    """The document; `samples` are bodies by routing key and version, like `delivery.sent.v1`."""
    received = _family(PUBLISHED_BY_OTHERS)
    sent = _family(TOLD_TO_OTHERS)
    schemas: dict[str, Any] = {}
    for event in (*received, *sent):
        schemas |= _schemas(event, mode="validation" if event in received else "serialization")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Kabar", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {"bus": {"host": "rabbitmq:5672", "protocol": "amqp", "protocolVersion": "0.9.1"}},
        "channels": {event.routing_key: _channel(event) for event in (*received, *sent)},
        "operations": {
            **{f"receive.{event.routing_key}": _operation(event, "receive") for event in received},
            **{f"send.{event.routing_key}": _operation(event, "send") for event in sent},
        },
        "components": {
            "messages": {event.__name__: _message(event, samples) for event in (*received, *sent)},
            "schemas": dict(sorted(schemas.items())),
        },
    }


def rendered(samples: Path) -> str:
    """The text of docs/asyncapi.json, with the examples of a folder of samples."""
    read = {path.stem: json.loads(path.read_text()) for path in sorted(samples.glob("*.json"))}
    return json.dumps(asyncapi(read), indent=2, ensure_ascii=False) + "\n"


def _family(bases: tuple[type[Event], ...]) -> list[type[Event]]:
    return [event for event in Event.catalogue.values() if issubclass(event, bases)]


def _channel(event: type[Event]) -> dict[str, Any]:
    exchange = {"name": EVENTS.name, "type": EVENTS.kind, "durable": True, "autoDelete": False, "vhost": "/"}
    return {
        "address": event.routing_key,
        "messages": {event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": "0.3.0"}},
    }


def _operation(event: type[Event], action: str) -> dict[str, Any]:
    channel = f"#/channels/{event.routing_key}"
    return {
        "action": action,
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"}],
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": action == "receive", "bindingVersion": "0.3.0"}},
    }


def _message(event: type[Event], samples: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {
        "name": event.routing_key,
        "title": event.__name__,
        "description": _said_of(event),
        "contentType": "application/json",
        "payload": {"$ref": _SCHEMAS.format(model=event.__name__)},
    }
    shown = {name: body for name, body in samples.items() if name.rpartition(".v")[0] == event.routing_key}
    if shown:
        message["examples"] = [{"name": name, "payload": body} for name, body in shown.items()]
    return message


def _said_of(event: type[Event]) -> str:
    """Its own docstring, or that of the family it belongs to."""
    said = next(one.__doc__ for one in event.__mro__ if one.__doc__)
    return " ".join(cleandoc(said).split())


def _schemas(event: type[Event], *, mode: Any) -> dict[str, Any]:
    schema = event.model_json_schema(by_alias=False, ref_template=_SCHEMAS, mode=mode)
    return {**schema.pop("$defs", {}), event.__name__: schema}


if __name__ == "__main__":
    sys.stdout.write(rendered(Path(sys.argv[1])))
