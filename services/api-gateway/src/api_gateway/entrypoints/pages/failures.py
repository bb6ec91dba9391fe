"""What waits for a person: look, try again or discard, one or many."""

from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.act_on_deliveries import DEAD
from api_gateway.application.ports import Selection
from api_gateway.domain.refusals import invalid
from api_gateway.entrypoints.bodies import IdentitiesBody
from api_gateway.entrypoints.deliveries import discard_many, retry_many
from api_gateway.entrypoints.pages.addresses import FAILURES
from api_gateway.entrypoints.pages.filtering import NAMES, listed, selection, wanted
from api_gateway.entrypoints.pages.page_route import PageRoute
from api_gateway.entrypoints.pages.rendering import done, number
from api_gateway.entrypoints.pages.visitors import Dispatcher, Form
from api_gateway.entrypoints.reading import shaped
from api_gateway.entrypoints.uses import uses

router = APIRouter(prefix=FAILURES, route_class=PageRoute, include_in_schema=False)


@router.get("")
async def look(request: Request, _: Dispatcher) -> Response:
    asked = wanted(request)

    def chosen() -> Selection:
        if asked["status"] and asked["status"] not in DEAD:
            raise invalid("status", f"dead ones are {' or '.join(DEAD)}")
        return selection(request, asked, statuses=DEAD, dead=True)

    return await listed(request, "failures.html", asked, chosen, statuses=DEAD)


@router.post("/retry")
async def retry(request: Request, visitor: Dispatcher) -> Response:
    ids = _chosen(visitor.form)
    retried = await retry_many(uses(request), visitor.caller, ids)
    return _back(visitor.form, "Queued again", retried, len(ids))


@router.post("/discard")
async def discard(request: Request, visitor: Dispatcher) -> Response:
    ids = _chosen(visitor.form)
    discarded = await discard_many(uses(request), visitor.caller, ids)
    return _back(visitor.form, "Discarded", discarded, len(ids))


def _chosen(form: Form) -> list[str]:
    """The ones that are ticked, or the one whose own button was pressed."""
    ids = form.all("only") or form.all("ids")
    if not ids:
        raise invalid("deliveries", "tick at least one of them first")
    return list(dict.fromkeys(shaped({"ids": ids}, IdentitiesBody).ids))


def _back(form: Form, what: str, changed: int, asked: int) -> Response:
    """To the list as it was filtered."""
    skipped = asked - changed
    notice = f"{what}: {number(changed)}."
    if skipped:
        notice += f" Skipped: {number(skipped)}, which do not wait for a person any more or that nobody can carry."
    kept = urlencode({name: form.get(name, most=200) for name in NAMES if form.get(name)})
    return done(f"{FAILURES}?{kept}" if kept else FAILURES, notice)
