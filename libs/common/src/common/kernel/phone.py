"""Phone numbers and WhatsApp group ids: one spelling inside, masked outside."""

import re

GROUP = re.compile(r"^(\d{15,20}|\d{8,15}-\d{10})@g\.us\Z", re.ASCII)
MOBILE = re.compile(r"^628[1-9]\d{7,10}\Z", re.ASCII)
_SEPARATORS = re.compile(r"[\s.\-()\u2010-\u2015\u00a0]+")
_PERSONAL_SUFFIXES = ("@s.whatsapp.net", "@c.us")
_GROUP_IN_TEXT = r"(?<!\d)\d{8,20}(?:-\d{10})?@g\.us"
_MOBILE_IN_TEXT = r"(?<!\w)(?<!\d\.)(?:\+?62|0)[\s-]?8(?:[\s-]?\d){7,11}(?!\w)"
_IN_TEXT = re.compile(f"{_GROUP_IN_TEXT}|{_MOBILE_IN_TEXT}", re.ASCII)


class InvalidPhone(ValueError):  # noqa: N818 - named as the code INVALID_PHONE that clients see
    """The value is neither an Indonesian mobile number nor a WhatsApp group id; the text says what to write instead."""


def normalise_recipient(value: str) -> str:
    """Spell a recipient the one way it is stored: `628…` for a person, `…@g.us` for a group.

    Accepts `0812…`, `812…`, `+62812…`, `0062812…`, `62 0812…` with spaces, dots, dashes and brackets, and the suffixes
    `@s.whatsapp.net` and `@c.us`. Raises `InvalidPhone` for everything else, landlines and foreign numbers included.
    """
    text = value.strip()
    if GROUP.match(text):
        return text
    if text.endswith("@lid"):
        raise InvalidPhone("a @lid identity hides the number; give the phone number itself, like 6281200000001")
    for suffix in _PERSONAL_SUFFIXES:
        text = text.removesuffix(suffix)
    if "@" in text:
        raise InvalidPhone("not a WhatsApp group id; it must look like 120363000000000001@g.us")
    digits = _SEPARATORS.sub("", text).removeprefix("+")
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidPhone(
            "only digits may remain once spaces, dots, dashes and brackets are gone; write 6281200000001"
        )
    digits = digits.removeprefix("00") if digits.startswith("0062") else digits
    if digits.startswith("6208"):
        digits = "628" + digits[4:]
    elif digits.startswith("08"):
        digits = "628" + digits[2:]
    elif digits.startswith("8") and 9 <= len(digits) <= 12:
        digits = "62" + digits
    if not MOBILE.match(digits):
        raise InvalidPhone(
            "not an Indonesian mobile number; it must look like 6281200000001 (628, then 8 to 11 digits)"
        )
    return digits


def is_group(recipient: str) -> bool:
    """Whether a normalised recipient is a WhatsApp group."""
    return recipient.endswith("@g.us")


def mask(value: str) -> str:
    """Keep the first four and the last three characters, whatever the value is: `6281******001`."""
    number, at, suffix = value.partition("@")
    suffix = re.sub(r"\d", "*", suffix[:8])
    if len(number) <= 7:
        return "*" * len(number) + at + suffix
    return f"{number[:4]}{'*' * (len(number) - 7)}{number[-3:]}{at}{suffix}"


def mask_in_text(text: str) -> str:
    """Mask every group id and Indonesian mobile number in a text, with spaces or dashes in it or without."""
    return _IN_TEXT.sub(lambda match: mask(match.group()), text)
