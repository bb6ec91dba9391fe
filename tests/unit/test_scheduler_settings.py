"""Schedules are configuration: refused at the start by name when they are none, and switched off with a word."""

import pytest

from common.config.settings import EXIT_CONFIGURATION, load
from scheduler.settings import SchedulerSettings

SCHEDULES = ("SLA_MONITOR", "DUNNING", "DAILY_SUMMARY", "WEEKLY_PERFORMANCE", "PROVIDER_CHECK", "RETENTION")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in SCHEDULES:
        monkeypatch.delenv(f"KABAR_SCHEDULE_{name}", raising=False)
    monkeypatch.delenv("KABAR_TIMEZONE", raising=False)


def test_every_job_has_its_time_when_nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KABAR_SCHEDULE_DUNNING", "")
    settings = load(SchedulerSettings)
    schedule = settings.schedule(settings.dunning)
    assert schedule is not None
    assert (schedule.expression, schedule.zone.key) == ("0 8 * * *", "Asia/Jakarta")
    assert (settings.sla_monitor, settings.weekly_performance) == ("*/15 * * * *", "0 8 * * 1")


def test_every_schedule_that_is_none_is_named_at_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in SCHEDULES:
        monkeypatch.setenv(f"KABAR_SCHEDULE_{name}", "0 25 * * *")
    monkeypatch.setenv("KABAR_TIMEZONE", "Jakarta")
    with pytest.raises(SystemExit) as ended:
        load(SchedulerSettings)
    said = capsys.readouterr().err.splitlines()
    assert ended.value.code == EXIT_CONFIGURATION
    assert len(said) == len(SCHEDULES) + 1
    for name in SCHEDULES:
        (line,) = [line for line in said if f"KABAR_SCHEDULE_{name}:" in line]
        assert "not a cron expression, like 0 8 * * *: bad hour" in line


def test_a_job_is_switched_off_and_a_schedule_may_be_laid_out_freely(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KABAR_SCHEDULE_DAILY_SUMMARY", "Off")
    monkeypatch.setenv("KABAR_SCHEDULE_DUNNING", "  0   9 * * mon-fri ")
    settings = load(SchedulerSettings)
    assert settings.schedule(settings.daily_summary) is None
    assert settings.dunning == "0 9 * * mon-fri"
