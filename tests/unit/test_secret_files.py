"""Secrets come from files, are taken when these change, and stay what they were when the new content is no good."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from api_gateway.settings import Settings
from common.config.settings import load
from common.runtime.secrets import FollowSecrets, following
from common.telemetry.logs import clean
from gateway_wablas.settings import WablasSettings

OLD, NEW = "the old secret of this test, long", "the new secret of this test, long"


@pytest.fixture
def files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for settings in (Settings, WablasSettings):
        for field in settings.model_fields.values():
            monkeypatch.delenv(str(field.validation_alias), raising=False)
    monkeypatch.setenv("KABAR_SECRETS_DIRECTORY", str(tmp_path))
    return tmp_path


class Following:
    """Somebody who follows the files of a service; `taken` is what it was given."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.taken: list[Settings] = []
        self._follow = FollowSecrets(load(Settings), self.taken.append, self.registry)

    async def look(self, times: int = 3) -> None:
        for _ in range(times):
            await self._follow.look()

    def refused(self, setting: str) -> float | None:
        return self.registry.get_sample_value("secret_refused", {"setting": setting})


def test_a_file_is_read_and_wins_over_the_environment(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KABAR_JWT_SECRET", OLD)
    (files / "KABAR_JWT_SECRET").write_text(f"{NEW}\n{OLD}\n")
    (files / "KABAR_JWT_ISSUER").write_text("no secret, so it is not looked at")
    settings = load(Settings)
    assert settings.jwt_secrets == (NEW, OLD)
    assert settings.jwt_issuer is None


def test_an_empty_file_sets_nothing(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KABAR_JWT_SECRET", OLD)
    (files / "KABAR_JWT_SECRET").write_text("\n")
    assert load(Settings).jwt_secrets == (OLD,)


Break = Callable[[Path], object]


@pytest.mark.parametrize(
    ("name", "broken"),
    [
        ("KABAR_JWT_SECRET", lambda file: file.write_bytes(b"\xff" * 40)),
        ("KABAR_JWT_SECRET", lambda file: file.mkdir()),
        ("KABAR_JWT_SECRET", lambda file: file.write_text(f"{OLD}\nshort")),
        ("KABAR_WEBHOOK_SECRET", lambda file: file.write_text("known-to-nobody\nno / path")),
    ],
)
def test_the_start_is_refused_with_the_name_of_the_file_that_is_no_good(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, broken: Break
) -> None:
    monkeypatch.setenv("KABAR_JWKS_URL", "https://login.example.com/keys")
    broken(files / name)
    with pytest.raises(SystemExit):
        load(Settings)
    said = capsys.readouterr().err
    assert f"configuration: {name}: " in said
    assert not any(part in said for part in (OLD, "short", "known-to-nobody", "\\xff"))


def test_a_directory_that_is_not_there_is_named(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KABAR_SECRETS_DIRECTORY", str(files / "nowhere"))
    monkeypatch.setenv("KABAR_JWT_SECRET", OLD)
    with pytest.raises(SystemExit):
        load(Settings)
    assert "KABAR_SECRETS_DIRECTORY" in capsys.readouterr().err


async def test_a_changed_file_is_taken_once_and_its_content_never_logged(files: Path) -> None:
    file = files / "KABAR_JWT_SECRET"
    file.write_text(OLD)
    one = Following()
    await one.look()
    assert one.taken == []
    began = time.time()
    file.write_text(f"{NEW}\n{OLD}")
    with capture_logs() as said:
        await one.look(5)
    assert [settings.jwt_secrets for settings in one.taken] == [(NEW, OLD)]
    assert said == [{"event": "secret.taken", "log_level": "info", "setting": "KABAR_JWT_SECRET"}]
    taken_at = one.registry.get_sample_value("secret_taken_timestamp_seconds", {"setting": "KABAR_JWT_SECRET"})
    assert taken_at is not None
    assert taken_at >= began
    assert NEW not in clean(f"somebody says {NEW}, which is one line of two")


async def test_what_is_still_being_written_is_not_taken(files: Path) -> None:
    file = files / "KABAR_JWT_SECRET"
    file.write_text(OLD)
    one = Following()
    await one.look()
    for length in range(20, 41):
        file.write_text("x" * length)
        await one.look(1)
    assert one.taken == []
    await one.look(1)
    assert [settings.jwt_secrets for settings in one.taken] == [("x" * 40,)]


@pytest.mark.parametrize(
    "broken",
    [
        lambda file: file.write_text("short"),
        lambda file: file.write_text(""),
        lambda file: file.write_bytes(b"\xff" * 40),
        lambda file: file.unlink(),
        lambda file: (file.unlink(), file.mkdir()),
    ],
    ids=["short", "empty", "no text", "gone", "a directory"],
)
async def test_what_is_no_good_is_said_once_and_what_was_good_stays(files: Path, broken: Break) -> None:
    file = files / "KABAR_JWT_SECRET"
    file.write_text(OLD)
    one = Following()
    await one.look()
    broken(file)
    with capture_logs() as logged:
        await one.look(5)
    assert one.taken == []
    [said] = logged
    assert (said["event"], said["log_level"], said["setting"]) == ("secret.refused", "error", "KABAR_JWT_SECRET")
    assert OLD not in str(said)
    assert one.refused("KABAR_JWT_SECRET") == 1
    if file.is_dir():
        file.rmdir()
    file.write_text(NEW)
    await one.look()
    assert [settings.jwt_secrets for settings in one.taken] == [(NEW,)]
    assert one.refused("KABAR_JWT_SECRET") == 0


async def test_a_servers_new_login_is_said_to_need_a_restart(files: Path) -> None:
    (files / "KABAR_JWT_SECRET").write_text(OLD)
    (files / "RABBITMQ_URL").write_text("amqp://kabar:first-password@127.0.0.1/")
    one = Following()
    await one.look()
    (files / "RABBITMQ_URL").write_text("amqp://kabar:other-password@127.0.0.1/")
    with capture_logs() as logged:
        await one.look()
    [said] = logged
    assert (said["event"], said["log_level"], said["setting"]) == ("secret.changed", "warning", "RABBITMQ_URL")
    assert "password" not in str(said)


async def test_a_token_and_its_secret_that_do_not_fit_are_refused_together(files: Path) -> None:
    (files / "WABLAS_API_TOKEN").write_text("one,two")
    (files / "WABLAS_SECRET_KEY").write_text("first,second")
    registry = CollectorRegistry()
    taken: list[WablasSettings] = []
    settings = WablasSettings.model_validate({"wablas_api_url": "https://server.wablas.com"})
    follow = FollowSecrets(settings, taken.append, registry)
    (files / "WABLAS_SECRET_KEY").write_text("first,second,third")
    for _ in range(3):
        await follow.look()
    assert taken == []
    assert registry.get_sample_value("secret_refused", {"setting": "WABLAS_SECRET_KEY"}) == 1


def test_without_files_nothing_is_followed_and_nothing_shown_as_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KABAR_SECRETS_DIRECTORY", raising=False)
    monkeypatch.setenv("KABAR_JWT_SECRET", OLD)
    registry = CollectorRegistry()
    assert following(load(Settings), lambda _: None, registry) == []
    shown = {
        sample.labels["setting"]: sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "secret_refused"
    }
    assert shown.keys() >= {"KABAR_JWT_SECRET", "KABAR_WEBHOOK_SECRET", "RABBITMQ_URL"}
    assert set(shown.values()) == {0}
