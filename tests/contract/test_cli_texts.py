"""What `kabar` says is what was read and found good; tests/contract/cli_golden.py writes it down."""

import pytest

from api_gateway.entrypoints.row_bodies import ROW_BODIES
from common.contracts.vocabulary import Role as Known
from kabar_cli.commands.importing import Kind
from kabar_cli.commands.token import Role
from kabar_cli.exits import EPILOG, Exit
from tests.contract import cli_golden

TEXTS = cli_golden.said()


@pytest.mark.parametrize("name", TEXTS)
def test_it_says_what_is_written_down(name: str) -> None:
    assert TEXTS[name] == (cli_golden.FOLDER / name).read_text("utf-8")


def test_nothing_is_written_down_that_it_does_not_say() -> None:
    assert {file.name for file in cli_golden.FOLDER.iterdir()} == set(TEXTS)


def test_nothing_is_wider_than_its_terminal() -> None:
    for name, text in TEXTS.items():
        if not name.startswith("help."):
            assert max(map(len, text.splitlines())) <= cli_golden.WIDTHS[name.split(".")[1]]


def test_every_command_has_its_help() -> None:
    assert "$ kabar dead retry --help" in TEXTS["help.wide.txt"]
    assert TEXTS["help.wide.txt"].count("\n$ kabar ") >= 18


def test_every_exit_code_is_documented() -> None:
    assert all(f"{code.value} " in EPILOG for code in Exit)


def test_kinds_and_roles_are_kabars() -> None:
    assert set(Kind) == set(ROW_BODIES)
    assert [one.value for one in Role] == [one.value for one in Known]
