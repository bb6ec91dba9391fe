"""How a type goes: its default, and what an operator changed of it."""

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from typing import Any

from common.catalogue.definitions import DEFINITIONS, Route
from common.contracts.vocabulary import Channel, NotificationType, OnUnknown, Priority

FIELDS = tuple(one.name for one in fields(Route))
"""The fields of a route; what else stands in a `RouteDocument` is about the change."""


def merged(notification_type: NotificationType, changed: Mapping[str, Any]) -> Route:
    """A type's default with what was changed of it, read from a `RouteDocument`."""
    values = changes_of(changed)
    if "priority" in values:
        values["priority"] = Priority(values["priority"])
    if "channels" in values:
        values["channels"] = tuple(Channel(one) for one in values["channels"])
    if "on_unknown" in values:
        values["on_unknown"] = OnUnknown(values["on_unknown"])
    if values.get("providers") is not None:
        values["providers"] = tuple(values["providers"])
    return replace(DEFINITIONS[notification_type].route, **values)


def changes_of(changed: Mapping[str, Any]) -> dict[str, Any]:
    """The changed fields of a `RouteDocument`."""
    return {name: changed[name] for name in FIELDS if name in changed}


def written(route: Route) -> dict[str, Any]:
    """A route as JSON has it."""
    return asdict(route)
