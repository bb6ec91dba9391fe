"""What may stand in a message, and how a value from outside is made harmless in one."""

import re
import unicodedata

_ZERO_WIDTH_SPACE = "\u200b"
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""Unicode's category Cc, except the tab and the line feed."""
_NOT_IN_A_MESSAGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_INVISIBLE = re.compile("[\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_MARKS = re.compile(r"([*_~`])")
_MENTION = re.compile(r"@(?=\d)")
_LINE_START = re.compile(r"^(\s*)(>|-|\d+\.)", re.MULTILINE)
_HARMLESS = re.compile(r"[!-)+-?A-^a-z|]++(?: [!-)+-?A-^a-z|]++)*+\Z")
"""Words of plain letters, digits and signs on one line, as most values are: nothing has to be looked for in them."""
_BRACES = str.maketrans({"{": "(", "}": ")"})


def first_control_character(text: str) -> int | None:
    """Index of the first control character or lone surrogate; `None` when the text is clean."""
    found = _NOT_IN_A_MESSAGE.search(text)
    return None if found is None else found.start()


def normalise_message(text: str) -> str:
    """NFC and one kind of line end; content is left alone."""
    return unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))


def sanitise(value: str, *, multiline: bool = False) -> str:
    """Make a value from outside harmless inside a message.

    It can neither format (`* _ ~` and the backtick), nor expand (`{ }`: Fonnte's variables, Wablas' spintax), nor
    mention (`@digits`), nor hide (control, bidirectional and zero-width characters), nor start a quote or a list.
    """
    if not multiline and _HARMLESS.match(value):
        return value
    text = unicodedata.normalize("NFC", value.replace("\r\n", "\n").replace("\r", "\n"))
    text = _INVISIBLE.sub("", _CONTROLS.sub("", text))
    text = _LINE_START.sub(rf"\1{_ZERO_WIDTH_SPACE}\2", text) if multiline else re.sub(r"\s+", " ", text).strip()
    text = _MARKS.sub(rf"\1{_ZERO_WIDTH_SPACE}", text)
    return _MENTION.sub(f"@{_ZERO_WIDTH_SPACE}", text).translate(_BRACES)
