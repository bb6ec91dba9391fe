"""Phone numbers and WhatsApp group ids: one spelling inside, masked outside."""

import re

from common.kernel.email import is_maskable, mask_email, mask_emails_in_text

GROUP = re.compile(r"^(\d{15,20}|\d{8,15}-\d{10})@g\.us\Z", re.ASCII)
MOBILE = re.compile(r"^628[1-9]\d{7,10}\Z", re.ASCII)
_SEPARATORS = re.compile(r"[\s.\-()\u2010-\u2015\u00a0]+")
_PERSONAL_SUFFIXES = ("@s.whatsapp.net", "@c.us")
# What stands between two digits as people, word processors, forms and JSON write it.
_SEPARATOR = (
    r"(?:[\s.\-()/\u00a0\u200b-\u200f\u2010-\u2015\u2028-\u202f\u2060-\u2069\ufeff]"
    r"|(?<=\d)\+(?=\d)|%20|%2[dD]|\\[nrt]|\\u[0-9a-fA-F]{4})"
)
_GAP = rf"{_SEPARATOR}{{0,3}}"
_BREAK = rf"{_SEPARATOR}{{1,3}}"
# Neither within a figure nor within a hexadecimal identity.
_BEGIN = r"(?<!\d)(?<!\d\.)(?<!(?<![%0])\d[a-f])(?<!\d[a-f]{2})"
_END = r"(?!\d)(?![a-f][0-9a-f]{2,40}(?![0-9a-z]))"
_NO_DATE = r"(?<!(?:19|20)\d\d[-./])(?!0\d[-./\s]\d{1,2}[-./\s](?:19|20)\d\d(?!\d))"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"
_NO_ADDRESS = rf"(?!{_OCTET}(?:\.{_OCTET}){{3}}(?![\d.]))"
_OURS = r"(?<=[a-z])_01[0-9a-f]{10,40}(?:-[0-9a-f]{16})?(?!\w)"
_GROUP_IN_TEXT = r"(?<!\d)\d{8,20}(?:-\d{10})?@g\.us"
_PREFIX = rf"(?:(?:00{_GAP})?62{_GAP}(?:0{_GAP})?|0(?!\.){_GAP})8"
# One more digit, unless the next number begins there.
_MORE = rf"(?:\d|{_BREAK}(?!{_PREFIX}(?:{_GAP}\d){{7}})\d)"
_INTERNATIONAL = rf"(?<!\d)\+{_GAP}[1-9](?:{_GAP}\d){{9}}{_MORE}{{0,5}}(?!\d)"
_NATIONAL = rf"{_PREFIX}(?:{_GAP}\d){{7}}{_MORE}{{0,4}}"
# Without 0 or 62, and no amount: 812.500.000.
_BARE = rf"(?<!\w)8[1-9]\d(?:\d{{7,9}}(?!\.\d)|{_BREAK}(?!\d{{3}}\.\d{{3}}(?!\d))\d{{3,4}}{_BREAK}\d{{3,5}})(?!\w)"
_MOBILE_IN_TEXT = rf"(?=[068]){_BEGIN}{_NO_DATE}{_NO_ADDRESS}(?:{_NATIONAL}|{_BARE}){_END}"
_IN_TEXT = re.compile(f"(?P<ours>{_OURS})|{_GROUP_IN_TEXT}|{_INTERNATIONAL}|{_MOBILE_IN_TEXT}", re.ASCII)


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
    """Keep the first four and the last three characters, whatever the value is: `6281******001`, but of an e-mail
    address the first one and the domain: `s***@example.com`.
    """
    if is_maskable(value):
        return mask_email(value)
    number, at, suffix = value.partition("@")
    suffix = re.sub(r"\d", "*", suffix[:8])
    if len(number) <= 7:
        return "*" * len(number) + at + suffix
    return f"{number[:4]}{'*' * (len(number) - 7)}{number[-3:]}{at}{suffix}"


def mask_in_text(text: str) -> str:
    """Mask every group id, Indonesian mobile number and number with a `+` in a text, however its digits are spaced,
    and every e-mail address.

    Figures, dates, amounts, addresses and identities of ours stay as they are; in doubt it is a number.
    """
    masked = _IN_TEXT.sub(lambda match: match.group() if match["ours"] else mask(match.group()), text)
    return mask_emails_in_text(masked)
