"""The filters of Kabar's templates beside those of Jinja: money, numbers, names, links and words, in Indonesian."""

import math
import re
from typing import Any
from urllib.parse import quote

from jinja2 import Undefined

from common.kernel.text import sanitise
from common.rendering.calendar import hari, jam, tanggal
from common.rendering.values import Finished, text_of, unreadable

LONGEST_NAME = 60
_LINK = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_LINK_SAFE = ":/?#[]!$&'()+,;=%@_~-."
_MENTION = re.compile(r"@(?=\d)")
_LINKED = re.compile(r"(?<=\w)\.(?=\w)|(?<=:)/(?=/)")
_MANY_LINES = re.compile(r"\n{3,}")
_WORDS = {
    "open": "diterima",
    "assigned": "ditugaskan kepada teknisi",
    "in_progress": "sedang dikerjakan",
    "on_hold": "ditunda sementara",
    "resolved": "selesai ditangani",
    "closed": "ditutup",
    "cancelled": "dibatalkan",
    "urgent": "mendesak",
    "critical": "kritis",
    "high": "tinggi",
    "medium": "sedang",
    "normal": "normal",
    "low": "rendah",
}
"""What the directory and its clients call things, in Indonesian."""


def rupiah(value: object) -> str:
    """`Rp 150.000`, of whole rupiah."""
    amount = _number("rupiah", value, "whole rupiah like 150000")
    if amount != int(amount):
        raise unreadable("rupiah", value, "whole rupiah like 150000")
    return f"{'-' if amount < 0 else ''}Rp {_grouped(abs(int(amount)))}"


def angka(value: object) -> str:
    """`1.250` or `96,5`: at most two decimals."""
    number = round(_number("angka", value, "a number"), 2)
    whole, fraction = divmod(round(abs(number) * 100), 100)
    decimals = f"{fraction:02d}".rstrip("0")
    sign = "-" if number < 0 else ""
    return f"{sign}{_grouped(whole)}{',' if decimals else ''}{decimals}"


def durasi(value: object) -> str:
    """Minutes as `45 menit`, `1 jam 30 menit` or `2 hari 3 jam`."""
    minutes = int(_number("durasi", value, "minutes"))
    days, rest = divmod(abs(minutes), 24 * 60)
    hours, minutes = divmod(rest, 60)
    parts = [(days, "hari"), (hours, "jam"), (0 if days else minutes, "menit")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count) or "0 menit"


def nama(value: Any, instead: str | None = None) -> str:
    """A name on one short line, in which nothing can be tapped as a link; `instead` when there is none."""
    if isinstance(value, Undefined) and instead is not None:
        return instead
    name = _LINKED.sub(lambda found: f"{found.group()}\u200b", sanitise(_cut(text_of("nama", value), LONGEST_NAME)))
    return Finished(name) if name or instead is None else instead


def ringkas(value: Any, most: int = 100) -> str:
    """The text on one line, cut after a word when it is longer than `most` characters."""
    return _cut(text_of("ringkas", value), most)


def paragraf(value: Any) -> str:
    """The text with its line breaks."""
    text = sanitise(text_of("paragraf", value), multiline=True).strip()
    return Finished(_MANY_LINES.sub("\n\n", text))


def tautan(value: Any) -> str:
    """A link that still works: what could format or hide is percent-encoded instead of taken apart."""
    if isinstance(value, str) and _LINK.match(value) and not re.search(r"\s", value):
        return Finished(_MENTION.sub("%40", quote(value, safe=_LINK_SAFE, errors="replace")))
    raise unreadable("tautan", value, "a link like https://…")


def istilah(value: Any) -> str:
    """A status or a priority in words; any other text as it is."""
    text = text_of("istilah", value)
    return _WORDS.get(text, text)


FILTERS = {one.__name__: one for one in (angka, durasi, hari, istilah, jam, nama, paragraf, ringkas, rupiah, tanggal,
                                         tautan)}  # fmt: skip


def _number(name: str, value: object, wanted: str) -> int | float:
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,15}", value, re.ASCII):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise unreadable(name, value, wanted)
    if abs(value) > 10**15:
        raise unreadable(name, value, wanted)
    return value


def _grouped(whole: int) -> str:
    return f"{whole:,}".replace(",", ".")


def _cut(text: str, most: int) -> str:
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    kept = line[: max(most - 1, 0)]
    return (kept[: kept.rfind(" ")] if " " in kept[most // 2 :] else kept).rstrip(" ,.;:") + "…"
