"""A change of one delivery, decided purely and saved by one atomic write."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from common.contracts.documents import DeliveryDocument, PastAttempt
from common.contracts.vocabulary import DeliveryStatus


@dataclass(frozen=True)
class Change:
    """What a delivery becomes. Without a `cause` nothing happened that its timeline should tell.

    `lane` and `wake_at` are always written: `None` takes them away. `past` ends the attempt under way; `amended`
    are fields of the past attempt `amended_number`; `keep_attempt` leaves the attempt under way as it is.
    """

    status: DeliveryStatus
    cause: str
    lane: str | None = None
    wake_at: datetime | None = None
    past: PastAttempt | None = None
    amended_number: int | None = None
    amended: Mapping[str, Any] = field(default_factory=dict)
    fields: Mapping[str, Any] = field(default_factory=dict)
    keep_attempt: bool = False

    def uncounted(self, delivery: DeliveryDocument) -> "Change":
        """The same for a delivery whose claim led to no attempt."""
        return replace(self, fields={**self.fields, "attempts_made": delivery["attempts_made"] - 1})
