"""Where settings come from and which are refused."""

from pathlib import Path

import jwt
import pytest

from local_stack.examination import read_settings
from local_stack.program import Program
from local_stack.services import SANDBOX, SERVICES
from local_stack.settings import Settings, SettingsError, read_surroundings
from local_stack.tokens import admin_token


def test_the_environment_wins_over_the_file_and_empty_is_not_set(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "MAIL_HOST=file\nMAIL_PORT=25\nFONNTE_API_TOKEN=real\nMAIL_FROM_NAME='a b'\nEMPTY=\n"
    )
    values = read_surroundings(tmp_path, {"MAIL_HOST": "environment", "FONNTE_API_TOKEN": ""})
    assert values == {"MAIL_HOST": "environment", "MAIL_PORT": "25", "MAIL_FROM_NAME": "a b"}


def test_a_token_in_the_file_emptied_by_the_environment_brings_the_sandbox_back(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("FONNTE_API_TOKEN=real\n")
    assert not Settings.read(read_surroundings(tmp_path, {}), SERVICES).sandbox
    assert Settings.read(read_surroundings(tmp_path, {"FONNTE_API_TOKEN": ""}), SERVICES).sandbox


def test_secrets_in_files_are_seen_and_win(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "FONNTE_API_TOKEN").write_text("real\n")
    (tmp_path / "secrets" / "KABAR_JWT_SECRET").write_text("\n")
    (tmp_path / "secrets" / "WABLAS_API_TOKEN").write_bytes(b"\xff")
    environment = {"KABAR_SECRETS_DIRECTORY": "secrets", "FONNTE_API_TOKEN": "old"}
    values = read_surroundings(tmp_path, environment)
    assert values == {"KABAR_SECRETS_DIRECTORY": "secrets", "FONNTE_API_TOKEN": "real"}
    assert not Settings.read(read_surroundings(tmp_path, {"KABAR_SECRETS_DIRECTORY": "secrets"}), SERVICES).sandbox


def test_a_token_of_several_secrets_is_signed_with_the_first() -> None:
    first, second = "the first of two secrets, quite long", "the second of two secrets, quite long"
    assert jwt.decode(admin_token(f"{first}\n{second}", {}), first, ["HS256"])["role"] == "admin"


def test_every_value_that_cannot_be_used_is_named_at_once() -> None:
    values = {"KABAR_HTTP_PORT": "70000", "KABAR_REPLICAS_DISPATCHER": "many", "KABAR_SANDBOX": "maybe"}
    with pytest.raises(SettingsError) as refusal:
        Settings.read(values, SERVICES)
    assert all(name in str(refusal.value) for name in values)


def refused(values: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refusal:
        read_settings(values, SERVICES, SANDBOX)
    return refusal.value.problems


def test_what_the_stack_and_what_any_service_cannot_use_is_one_list_without_repetition() -> None:
    lines = refused(
        {
            "WHATSAPP_QUEUE_DELAY": "abc",
            "WHATSAPP_MAX_RETRIES": "many",
            "WHATSAPP_READ_TIMEOUT": "-1",
            "KABAR_TIMEZONE": "Mars",
            "KABAR_REPLICAS_DISPATCHER": "x",
            "KABAR_SANDBOX_RECIPIENT_FAULTS": "sometimes",
        }
    )
    assert [line.partition(":")[0] for line in lines] == [
        "KABAR_REPLICAS_DISPATCHER is 'x'",
        "KABAR_TIMEZONE is 'Mars'",
        "WHATSAPP_QUEUE_DELAY is 'abc'",
        "WHATSAPP_READ_TIMEOUT is '-1'",
        "WHATSAPP_MAX_RETRIES is 'many'",
        "KABAR_SANDBOX_RECIPIENT_FAULTS",
    ]


def test_a_secret_that_cannot_be_used_is_named_and_not_shown() -> None:
    lines = refused({"KABAR_JWT_SECRET": "hidden", "RABBITMQ_URL": "http://kabar:hidden@here/"})
    assert [line.partition(":")[0] for line in lines] == ["RABBITMQ_URL", "KABAR_JWT_SECRET"]
    assert "hidden" not in "".join(lines)


def test_an_address_of_a_provider_matters_only_when_it_is_used() -> None:
    bad = {"FONNTE_API_URL": "nowhere"}
    assert read_settings(bad, SERVICES, SANDBOX).sandbox
    assert "FONNTE_API_URL is 'nowhere'" in "".join(refused({**bad, "KABAR_SANDBOX": "off"}))


def test_a_service_that_is_not_started_may_be_set_to_anything() -> None:
    values = {"WHATSAPP_MAX_RETRIES": "many", "KABAR_REPLICAS_DISPATCHER": "0"}
    assert read_settings(values, SERVICES, SANDBOX).replicas["dispatcher"] == 0


def test_replicas_are_one_unless_set() -> None:
    replicas = Settings.read({"KABAR_REPLICAS_GATEWAY_FONNTE": "3"}, SERVICES).replicas
    assert replicas["gateway-fonnte"] == 3
    assert replicas["api-gateway"] == 1


def test_a_start_script_is_for_its_owner_only_and_no_secret_is_in_the_command_line(tmp_path: Path) -> None:
    program = Program("one", ("true",), {"TOKEN": "hidden"}, tmp_path)
    script = program.write_script(tmp_path)
    assert script.stat().st_mode & 0o077 == 0
    assert "hidden" in script.read_text()
    assert "hidden" not in repr(program)
