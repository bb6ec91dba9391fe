"""Accounts of the admin page, and what belongs to a session."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from api_gateway.adapters.argon2_passwords import Argon2Passwords
from api_gateway.domain.accounts import accounts
from api_gateway.domain.session import form_token, identity, is_form_token
from api_gateway.entrypoints.pages.rendering import number, span
from local_stack.tokens import page_account, signing_secret

HASH = "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ$aGFzaA"


def test_accounts_are_separated_by_spaces_and_lines() -> None:
    found = accounts(f"siti:admin:{HASH}\n budi:noc:{HASH}")
    assert {name: one.role for name, one in found.items()} == {"siti": "admin", "budi": "noc"}
    assert HASH not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "siti",
        f"siti:boss:{HASH}",
        "siti:admin:a plain password",
        "siti:admin:plain",
        f":admin:{HASH}",
        f"siti:admin:{HASH} siti:noc:{HASH}",
    ],
)
def test_what_is_no_account_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"account [12]") as refused:
        accounts(text)
    assert "plain" not in str(refused.value)


def test_the_command_makes_an_account_the_page_takes() -> None:
    command = [sys.executable, "-m", "api_gateway.entrypoints.password", "siti", "admin"]
    made = subprocess.run(command, input="a long password\n", text=True, capture_output=True, check=True).stdout
    account = accounts(made)["siti"]
    passwords = Argon2Passwords()
    assert passwords.verify(account.hash, "a long password")
    assert not passwords.verify(account.hash, "another password")
    short = subprocess.run(command, input="short\n", text=True, capture_output=True, check=False)
    assert short.returncode == 1
    assert "12 characters" in short.stderr


def test_nobodys_password_is_never_right() -> None:
    assert not Argon2Passwords().verify(None, "nobody has it")


def test_the_token_of_a_form_belongs_to_one_session_and_does_not_tell_it() -> None:
    assert is_form_token(form_token("one"), "one")
    assert not is_form_token(form_token("one"), "another")
    assert not is_form_token("\N{SNOWMAN}", "one")
    assert "one" not in form_token("one")
    assert identity("one") != form_token("one")


def test_lengths_and_numbers_read_well() -> None:
    assert [span(seconds) for seconds in (0, 59.4, 60, 3_700, 90_000, None)] == [
        *("0 s", "59 s", "1 min", "1 h 1 min", "1 d 1 h", "\N{EN DASH}"),
    ]
    assert span(timedelta(minutes=-1)) == "0 s"
    assert number(12_345) == "12,345"


def test_a_local_stack_makes_its_account_once(tmp_path: Path) -> None:
    kept = tmp_path / "secrets.json"
    secret = signing_secret(kept)
    password, entry = page_account(kept)
    assert page_account(kept) == (password, entry)
    assert signing_secret(kept) == secret
    assert Argon2Passwords().verify(accounts(entry)["admin"].hash, password)
