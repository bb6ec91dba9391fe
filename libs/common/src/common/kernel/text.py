"""What may stand in a message, and how a value from outside is made harmless in one."""

import re
import unicodedata

_ZERO_WIDTH_SPACE = "\u200b"
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MARKS = re.compile(r"([*_~`])")
_MENTION = re.compile(r"@(?=\d)")
_LINE_START = re.compile(r"^(\s*)(>|-|\d+\.)", re.MULTILINE)
_BRACES = str.maketrans({"{": "(", "}": ")"})


def is_control(character: str) -> bool:
    """Control characters, except the line feed and the tab, have no place in a message."""
    return unicodedata.category(character) == "Cc" and character not in "\n\t"


def first_control_character(text: str) -> int | None:
    """Index of the first control character or lone surrogate; `None` when the text is clean."""
    for index, character in enumerate(text):
        if is_control(character) or "\ud800" <= character <= "\udfff":
            return index
    return None


def normalise_message(text: str) -> str:
    """NFC and one kind of line end; content is left alone."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def sanitise(value: str, *, multiline: bool = False) -> str:
    """Make a value from outside harmless inside a message.

    It can neither format (`* _ ~` and the backtick), nor expand (`{ }`: Fonnte's variables, Wablas' spintax), nor
    mention (`@digits`), nor hide (control, bidirectional and zero-width characters), nor start a quote or a list.
    """
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(character for character in text if not is_control(character))
    text = _INVISIBLE.sub("", text)
    text = _LINE_START.sub(rf"\1{_ZERO_WIDTH_SPACE}\2", text) if multiline else re.sub(r"\s+", " ", text).strip()
    text = _MARKS.sub(rf"\1{_ZERO_WIDTH_SPACE}", text)
    return _MENTION.sub(f"@{_ZERO_WIDTH_SPACE}", text).translate(_BRACES)
