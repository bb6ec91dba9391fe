"""A value from outside cannot format, expand, mention or hide anything inside a message."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.kernel.text import first_control_character, normalise_message, sanitise

BREAK = "\u200b"


@pytest.mark.parametrize(
    ("value", "harmless"),
    [
        ("Budi", "Budi"),
        ("Jl. Mawar No. 7, RT 01/02 (#3)!", "Jl. Mawar No. 7, RT 01/02 (#3)!"),
        ("> - 1. Budi", "> - 1. Budi"),
        ("Budi\n", "Budi"),
        (" Budi", "Budi"),
        ("*bold*", f"*{BREAK}bold*{BREAK}"),
        ("_a_ ~b~ `c`", f"_{BREAK}a_{BREAK} ~{BREAK}b~{BREAK} `{BREAK}c`{BREAK}"),
        ("{name} {a|b}", "(name) (a|b)"),
        ("@62812", f"@{BREAK}62812"),
        ("budi@example.com", "budi@example.com"),
        ("a\nb\r\nc\td", "a b c d"),
        ("  a  b ", "a b"),
        ("a\x00b\x1bc\x7f", "abc"),
        ("a\u202eb\u200bc\ufeffd", "abcd"),
        ("e\u0301", "é"),
        ("👩\u200d💻", "👩\u200d💻"),
    ],
)
def test_a_value_on_one_line_is_made_harmless(value: str, harmless: str) -> None:
    assert sanitise(value) == harmless


@pytest.mark.parametrize(
    ("value", "harmless"),
    [
        ("> quoted", f"{BREAK}> quoted"),
        ("a\n- b\n  1. c", f"a\n{BREAK}- b\n  {BREAK}1. c"),
        ("a - b 1. c", "a - b 1. c"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_a_value_of_many_lines_starts_no_quote_and_no_list(value: str, harmless: str) -> None:
    assert sanitise(value, multiline=True) == harmless


@given(st.text(max_size=60), st.booleans())
def test_nothing_that_is_sanitised_means_anything_to_whatsapp_or_a_provider(value: str, multiline: bool) -> None:  # noqa: FBT001
    text = sanitise(value, multiline=multiline)
    assert not set(text) & set("{}\r\x00")
    assert not re.search(rf"[*_~`](?!{BREAK})|@\d", text)
    assert multiline or "\n" not in text
    assert unicodedata.is_normalized("NFC", text.replace(BREAK, ""))


@pytest.mark.parametrize(
    ("text", "index"),
    [("fine\n\tthere", None), ("", None), ("a\x00", 1), ("\x1b[31m", 0), ("ab\x85", 2), ("a\ud800", 1), ("é👍", None)],
)
def test_control_characters_and_half_characters_are_found(text: str, index: int | None) -> None:
    assert first_control_character(text) == index


@given(st.text(max_size=60))
def test_normalising_a_message_again_changes_nothing(text: str) -> None:
    once = normalise_message(text)
    assert normalise_message(once) == once
    assert "\r" not in once
