"""Who is told of which bonus."""

import pytest
from pydantic import ValidationError

from common.config.bonus import NO_BONUS, BonusRule, BonusSettings

RULE = BonusRule((500_000, 300_000), least_sla_percent=90.0)


@pytest.mark.parametrize(
    ("rank", "sla", "bonus"),
    [(1, 100.0, 500_000), (1, 90.0, 500_000), (1, 89.9, 0), (2, None, 300_000), (3, 100.0, 0)],
)
def test_a_bonus_goes_to_the_first_ones_who_kept_enough_deadlines(rank: int, sla: float | None, bonus: int) -> None:
    assert RULE.of(rank, sla) == bonus
    assert NO_BONUS.of(rank, sla) == 0


def test_it_is_read_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert BonusSettings().bonus == BonusRule((), 90.0)
    monkeypatch.setenv("KABAR_BONUS_BY_RANK", "500000, 300000")
    monkeypatch.setenv("KABAR_BONUS_LEAST_SLA_PERCENT", "80")
    assert BonusSettings().bonus == BonusRule((500_000, 300_000), 80.0)


@pytest.mark.parametrize("value", ["1000,", "-5", "5e5", "Rp 500.000", "1" * 12])
def test_what_is_no_list_of_rupiah_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("KABAR_BONUS_BY_RANK", value)
    with pytest.raises(ValidationError, match="whole rupiah by rank"):
        BonusSettings()
