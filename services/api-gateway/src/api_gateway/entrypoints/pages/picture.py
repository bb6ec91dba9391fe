"""The live parts of the overview, drawn once for everybody who watches."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from weakref import WeakKeyDictionary

from api_gateway.application.watch_queue import Picture
from api_gateway.entrypoints import views
from api_gateway.entrypoints.pages.rendering import fragment
from api_gateway.entrypoints.uses import Uses
from common.contracts.vocabulary import Priority
from common.kernel.phone import mask_in_text

PARTS = ("queue", "sends", "senders")
WIDTH, HEIGHT = 600, 120
"""Of the chart, in its own units."""


@dataclass(frozen=True)
class Bar:
    at: datetime
    count: int
    x: float
    y: float
    height: float


_DRAWN: WeakKeyDictionary[Picture, Mapping[str, str]] = WeakKeyDictionary()


def drawn(use: Uses, picture: Picture) -> Mapping[str, str]:
    """Each part as HTML, by its name. None has anything in it that is one visitor's."""
    if picture not in _DRAWN:
        values = shown(use, picture)
        _DRAWN[picture] = {part: fragment(f"parts/{part}.html", values, use.zone) for part in PARTS}
    return _DRAWN[picture]


def shown(use: Uses, picture: Picture) -> Mapping[str, Any]:
    """What the parts show."""
    queue = views.queue(picture.glance)
    counts = [count for _, count in picture.sends]
    return {
        "queue": queue,
        "priorities": [
            {"name": one.value, "count": queue["by_priority"][one.value], "finish": picture.glance.finishes[one]}
            for one in Priority
        ],
        "bars": bars(picture),
        "width": WIDTH,
        "height": HEIGHT,
        "most": max(counts, default=0),
        "last_minute": counts[-2] if len(counts) > 1 else 0,
        "last_hour": sum(counts),
        "senders": [_sender(use, picture, document) for document in picture.senders],
        "now": picture.at,
    }


def bars(picture: Picture) -> list[Bar]:
    """One a minute, as high as it is to the largest."""
    most = max((count for _, count in picture.sends), default=0) or 1
    step = WIDTH / max(len(picture.sends), 1)
    return [
        Bar(at, count, round(number * step, 2), round(HEIGHT * (1 - count / most), 2), round(HEIGHT * count / most, 2))
        for number, (at, count) in enumerate(picture.sends)
    ]


def _sender(use: Uses, picture: Picture, document: Any) -> Mapping[str, Any]:
    view = views.sender(document, use.limits(document["provider"]), picture.at)
    quota = view["quota"]
    used = None if None in {quota["total"], quota["remaining"]} else max(0, quota["total"] - quota["remaining"])
    return {**view, "why": view["why"] and mask_in_text(view["why"]), "quota": {**quota, "used": used}}
