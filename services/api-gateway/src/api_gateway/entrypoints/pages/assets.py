"""The files a browser loads once: styles, htmx, and the little of our own that says whether the page is live.

Their addresses change with their contents, so that a browser may keep them for ever. htmx is what the package
django-htmx carries; nothing of that is imported.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from api_gateway.entrypoints.pages.addresses import HOME

_HTMX = files("django_htmx") / "static" / "django_htmx"
_OURS = files(__package__) / "static"
_FILES = {
    "htmx.js": _HTMX / "htmx-2.min.js",
    "sse.js": _HTMX / "ext" / "hx-sse-2.min.js",
    "page.js": _OURS / "page.js",
    "page.css": _OURS / "page.css",
    "icon.svg": _OURS / "icon.svg",
}
_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


@dataclass(frozen=True)
class Asset:
    content: bytes
    media_type: str
    version: str


@cache
def _read(name: str) -> Asset:
    content = _FILES[name].read_bytes()
    return Asset(content, _TYPES[name.rpartition(".")[2]], hashlib.sha256(content).hexdigest()[:12])


def find(name: str, version: str) -> Asset | None:
    """The file, if it is still the one that was named."""
    found = _read(name) if name in _FILES else None
    return found if found is not None and found.version == version else None


def address(name: str) -> str:
    """Where a page finds a file."""
    return f"{HOME}/assets/{_read(name).version}/{name}"
