"""Bad values are refused at start, every one named at once, and no value is ever shown."""

import pytest
from pydantic import Field, SecretStr

from common.config.settings import EXIT_CONFIGURATION, ServiceSettings, load
from common.config.whatsapp import LimitSettings
from common.telemetry import logs


class Tokens(ServiceSettings):
    token: SecretStr = Field(validation_alias="FONNTE_API_TOKEN")


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [field.validation_alias for field in LimitSettings.model_fields.values()]:
        monkeypatch.delenv(str(name), raising=False)


def test_nothing_has_to_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KABAR_HTTP_PORT", "")
    monkeypatch.setenv("KABAR_SOMETHING_NEW", "unknown variables do no harm")
    settings = load(LimitSettings)
    assert (settings.http_port, settings.timezone) == (8080, "Asia/Jakarta")
    assert (settings.queue_delay, settings.per_minute, settings.per_hour, settings.per_day) == (10, 10, 100, 500)
    assert settings.provider_order == ("fonnte", "wablas")


def test_every_problem_is_named_at_once_and_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = {
        "RABBITMQ_URL": "http://user:hunter2@broker",
        "MONGODB_URL": "mongo://user:hunter2@database",
        "KABAR_HTTP_PORT": "70000",
        "KABAR_TIMEZONE": "Mars/Phobos",
        "KABAR_LOG_LEVEL": "LOUD",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://user:hunter2@collector",
        "OTEL_TRACES_SAMPLER": "jaeger_remote",
        "OTEL_TRACES_SAMPLER_ARG": "1.5",
        "WHATSAPP_QUEUE_DELAY": "-1",
        "WHATSAPP_RATE_LIMIT_PER_DAY": "many",
        "WHATSAPP_PROVIDER": "carrier-pigeon",
        "WHATSAPP_ENABLE_FAILOVER": "perhaps",
    }
    for name, value in bad.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(LimitSettings)
    said = capsys.readouterr().err
    assert ended.value.code == EXIT_CONFIGURATION
    assert len(said.splitlines()) == len(bad)
    assert all(f"configuration: {name}: " in said for name in bad)
    assert not [value for value in (*bad.values(), "hunter2") if value in said and value != "-1"]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("FONNTE_API_TOKEN", raising=False)
    with pytest.raises(SystemExit):
        load(Tokens)
    assert capsys.readouterr().err.startswith("configuration: FONNTE_API_TOKEN: ")


def test_secrets_are_never_shown_but_known_to_whoever_conceals_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FONNTE_API_TOKEN", "one-token,two-token")
    monkeypatch.setenv("RABBITMQ_URL", "amqp://kabar:hunter22@rabbitmq/")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20hunter23,x-tenant=kabar")
    settings = load(Tokens)
    assert "Bearer hunter23" in settings.secrets()
    assert "hunter23" not in repr(settings)
    assert not [text for text in (repr(settings), str(settings), settings.model_dump_json()) if "hunter22" in text]
    assert "one-token" not in repr(settings)
    assert set(settings.secrets()) >= {"one-token,two-token", "amqp://kabar:hunter22@rabbitmq/"}


@pytest.mark.parametrize(
    ("backup", "failover", "order"),
    [
        ("wablas", "true", ("fonnte", "wablas")),
        ("wablas", "false", ("fonnte",)),
        ("fonnte", "true", ("fonnte",)),
    ],
)
def test_the_default_route_is_the_provider_and_then_its_backup(
    monkeypatch: pytest.MonkeyPatch, backup: str, failover: str, order: tuple[str, ...]
) -> None:
    monkeypatch.setenv("WHATSAPP_BACKUP_PROVIDER", backup)
    monkeypatch.setenv("WHATSAPP_ENABLE_FAILOVER", failover)
    assert load(LimitSettings).provider_order == order


def test_delays_may_be_decimals_and_zero_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHATSAPP_QUEUE_DELAY", "0.5")
    monkeypatch.setenv("WHATSAPP_RATE_LIMIT_PER_MINUTE", "0")
    settings = load(LimitSettings)
    assert (settings.queue_delay, settings.per_minute) == (0.5, 0)


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Asia/Jayapura", "UTC", "Europe/Amsterdam"])
def test_any_time_zone_of_the_world_is_one(monkeypatch: pytest.MonkeyPatch, zone: str) -> None:
    monkeypatch.setenv("KABAR_TIMEZONE", zone)
    assert load(ServiceSettings).zone.key == zone


def test_short_values_are_not_concealed_because_they_are_words() -> None:
    before = set(logs._concealed)
    logs.conceal(["guest"])
    assert logs._concealed == before


@pytest.mark.parametrize(
    ("sampler", "share", "sampled"),
    [
        ("", "0.25", 1.0),
        ("parentbased_always_on", "0.25", 1.0),
        ("parentbased_always_off", "0.25", 0.0),
        ("parentbased_traceidratio", "0.25", 0.25),
        ("parentbased_traceidratio", "", 1.0),
    ],
)
def test_the_share_of_sampled_traces_is_the_samplers(
    monkeypatch: pytest.MonkeyPatch, sampler: str, share: str, sampled: float
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", share)
    assert load(LimitSettings).sampled_share == sampled
