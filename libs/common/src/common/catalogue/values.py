"""What a template of a type may name."""

from collections.abc import Mapping

from common.catalogue.definitions import DEFINITIONS, ROW_KINDS, Recipients
from common.contracts.directory import ROWS
from common.contracts.vocabulary import NotificationType

BROADCAST_CUSTOMER = frozenset({"id", "name", "area", "package_id"})
"""What is told of each customer when there are very many of them."""
Known = Mapping[str, frozenset[str] | None]
"""The values by name; those that are rows with their fields."""


def known_values(notification_type: NotificationType) -> Known | None:
    """Everything that a template of this type may name; `None` for `custom`, whose values are free."""
    definition = DEFINITIONS[notification_type]
    if definition.shape is None:
        return None
    known: dict[str, frozenset[str] | None] = dict.fromkeys((*definition.shape.model_fields, "validity"))
    for row in definition.rows:
        broadcast = row == "customer" and definition.recipients is Recipients.CUSTOMERS
        known[row] = BROADCAST_CUSTOMER if broadcast else frozenset(ROWS[ROW_KINDS[row]].model_fields)
    return known
