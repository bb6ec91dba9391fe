"""Where settings come from and which are refused."""

from pathlib import Path

import pytest

from local_stack.program import Program
from local_stack.services import SERVICES
from local_stack.settings import Settings, SettingsError, read_surroundings


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


def test_every_value_that_cannot_be_used_is_named_at_once() -> None:
    values = {"KABAR_HTTP_PORT": "70000", "KABAR_REPLICAS_DISPATCHER": "many", "KABAR_SANDBOX": "maybe"}
    with pytest.raises(SettingsError) as refusal:
        Settings.read(values, SERVICES)
    assert all(name in str(refusal.value) for name in values)


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
