"""What a technician gets for a good week; told to them, and paid by nobody here."""

from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from common.config.settings import ServiceSettings

MOST = 10**9


@dataclass(frozen=True)
class BonusRule:
    """`by_rank`: rupiah for the first, the second and so on, of those who did at least `least_sla_percent` of their
    tickets in time.
    """

    by_rank: tuple[int, ...] = ()
    least_sla_percent: float = 0.0

    def of(self, rank: int, sla_met_percent: float | None) -> int:
        """0 for none. Whoever had no deadline to keep has missed none."""
        if rank > len(self.by_rank) or (sla_met_percent is not None and sla_met_percent < self.least_sla_percent):
            return 0
        return self.by_rank[rank - 1]


NO_BONUS = BonusRule()


def _amounts(value: str) -> str:
    parts = [part.strip() for part in value.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) <= MOST for part in parts):
        raise ValueError("must be whole rupiah by rank, like 500000,300000,200000")
    return ",".join(parts)


class BonusSettings(ServiceSettings):
    bonus_by_rank: Annotated[str | None, AfterValidator(lambda value: value and _amounts(value))] = Field(
        None, validation_alias="KABAR_BONUS_BY_RANK"
    )
    bonus_least_sla_percent: float = Field(90.0, ge=0, le=100, validation_alias="KABAR_BONUS_LEAST_SLA_PERCENT")

    @property
    def bonus(self) -> BonusRule:
        amounts = (self.bonus_by_rank or "").split(",")
        return BonusRule(tuple(int(amount) for amount in amounts if amount), self.bonus_least_sla_percent)
