"""From templates to answers: everything is escaped, moments are in the operators' zone, which is named."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from functools import cache
from secrets import token_urlsafe
from typing import Any
from urllib.parse import quote, unquote

from fastapi import Request
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api_gateway.domain.refusals import Refused
from api_gateway.entrypoints.errors import STATUSES
from api_gateway.entrypoints.pages import addresses, assets
from api_gateway.entrypoints.pages.addresses import HOME, places
from api_gateway.entrypoints.uses import uses

NOTICE = "kabar_notice"
"""The cookie that carries what was done from one page to the next."""
MOST_NOTICE = 300
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
NOTHING = "\N{EN DASH}"


def render(
    request: Request, template: str, values: Mapping[str, Any], *, refused: Refused | None = None, status: int = 200
) -> Response:
    """A page, with what was just done, or why it was not."""
    visitor = getattr(request.state, "visitor", None)
    notice = unquote(request.cookies.get(NOTICE, ""))[:MOST_NOTICE]
    use = uses(request)
    text = _environment().get_template(template).render(
        {
            "visitor": visitor,
            "places": [] if visitor is None else places(visitor.caller.role),
            "here": request.url.path,
            "notice": notice,
            "zone": use.zone,
            "now": use.clock.now(),
            "refused": refused,
            **values,
        }
    )  # fmt: skip
    response = HTMLResponse(text, status if refused is None else STATUSES[type(refused)])
    if notice:
        response.delete_cookie(NOTICE, path=HOME)
    return response


def fragment(template: str, values: Mapping[str, Any], zone: tzinfo) -> str:
    """A part of a page, the same for everybody."""
    return _environment().get_template(template).render({"zone": zone, **values})


def done(address: str, notice: str) -> Response:
    """Back to a page, which says what was done."""
    response = RedirectResponse(address, 303)
    response.set_cookie(NOTICE, quote(notice[:MOST_NOTICE]), max_age=30, path=HOME, httponly=True, samesite="strict")
    return response


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__), auto_reload=False, autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters |= {
        "moment": _moment,
        "clock": _clock,
        "number": number,
        "span": span,
        "words": words,
        "plainly": plainly,
        "local": local,
        "figure": figure,
    }
    environment.globals |= {name: value for name, value in vars(addresses).items() if name.isupper()}
    environment.globals |= {"asset": assets.address, "new_key": lambda: token_urlsafe(16)}
    return environment


@pass_context
def _moment(context: Context, at: datetime | None) -> Markup | str:
    """`21 Nov 2026, 21:05:09 WIB`"""
    return NOTHING if at is None else _time(at, _told(at, context["zone"]))


@pass_context
def _clock(context: Context, at: datetime | None) -> Markup | str:
    """`21:05 WIB`, with the day where that is another one than today's."""
    if at is None:
        return NOTHING
    there = at.astimezone(context["zone"])
    today = context["now"].astimezone(context["zone"]).date()
    return _time(at, f"{there:%H:%M %Z}" if there.date() == today else f"{there:%-d %b, %H:%M %Z}")


def _told(at: datetime, zone: tzinfo) -> str:
    return f"{at.astimezone(zone):%-d %b %Y, %H:%M:%S %Z}"


def _time(at: datetime, text: str) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), text)


@pass_context
def local(context: Context, text: str) -> str:
    """A sentence with the moments in it as the page tells them."""
    return _MOMENT.sub(lambda found: _told(datetime.fromisoformat(found[0]), context["zone"]), text)


def figure(value: float | None) -> str:
    """As it is typed: `86400`."""
    if value is None:
        return ""
    return str(int(value)) if float(value).is_integer() else str(value)


def number(value: float | None) -> str:
    """`12,345`"""
    return NOTHING if value is None else f"{value:,}"


def span(length: timedelta | float | None) -> str:
    """`45 s`, `12 min`, `3 h 5 min`, `2 d 4 h`"""
    if length is None:
        return NOTHING
    seconds = max(0, round(length.total_seconds() if isinstance(length, timedelta) else length))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    if not minutes:
        return f"{seconds} s"
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if not days else f"{days} d {hours % 24} h"


def words(name: str) -> str:
    """`payment_reminder` as `payment reminder`."""
    return name.replace("_", " ")


@pass_context
def plainly(context: Context, value: Any) -> str:
    """A value of a document for people: `priority high, hours none`."""
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case datetime():
            return _told(value, context["zone"])
        case Mapping():
            return ", ".join(f"{words(str(name))} {plainly(context, one)}" for name, one in value.items()) or "none"
        case list() | tuple():
            return ", ".join(plainly(context, one) for one in value) or "none"
        case _:
            return str(value)
