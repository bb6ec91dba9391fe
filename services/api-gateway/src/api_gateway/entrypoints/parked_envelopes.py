"""/api/parked-envelopes"""

import asyncio
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.application.replay_envelopes import ParkedEnvelope
from api_gateway.domain.parked import shown
from api_gateway.domain.refusals import invalid
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Operator
from api_gateway.entrypoints.bodies import ReplayBody
from api_gateway.entrypoints.openapi import NO_BODY, describe
from api_gateway.entrypoints.paging import Cursor, Limit, after_moment, cursor_after, moment_and
from api_gateway.entrypoints.posting import answered, post, post_bare
from api_gateway.entrypoints.reading import read_json, shaped
from api_gateway.entrypoints.uses import uses
from common.kernel.phone import mask_in_text
from common.topology.declarations import QUEUES

SHOWN_CHARACTERS = 256 * 1024
"""Of a body; a larger one is handed in whole all the same."""
router = APIRouter(prefix="/api/parked-envelopes", tags=["parked envelopes"])
_REPLAY = describe(ReplayBody, {"again": {"force": True}}, idempotent=True, optional=True)


@router.get(
    "", response_model=answers.Page[answers.ParkedEnvelope], summary="Envelopes nobody could handle, the latest first"
)
async def list_parked(
    request: Request, _: Operator, queue: str | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    known = [one.name for one in QUEUES if one.dead_letters]
    if queue is not None and queue not in known:
        raise invalid("queue", f"known are {', '.join(known)}")
    found = await uses(request).replay_envelopes.page(queue, after_moment(cursor), limit)
    last = None if len(found) < limit else moment_and(found[-1].parked_at, found[-1].id)
    return JSON({"items": [_view(one) for one in found], "next_cursor": cursor_after(last)})


@router.post(
    "/{envelope_id:path}/replay",
    response_model=answers.ParkedEnvelopeDone,
    summary="Hand it in again where it came from",
    openapi_extra=_REPLAY,
)
async def replay(request: Request, envelope_id: str, caller: Operator) -> Response:
    document = await read_json(request, optional=True)

    async def act(_: Turn) -> Answer:
        use = uses(request)
        body = shaped(document, ReplayBody)
        before = _audited(await use.replay_envelopes.get(envelope_id))
        async with use.audit.changing(caller, "parked_envelope.replay", envelope_id, before=before) as noted:
            done = await use.replay_envelopes.replay(envelope_id, caller, force=body.force)
            noted.after = _audited(done)
        return answered({"success": True, **_view(done)})

    return await post(request, caller, document, act)


@router.post(
    "/{envelope_id:path}/discard",
    response_model=answers.ParkedEnvelopeDone,
    summary="Set it aside for good",
    openapi_extra=NO_BODY,
)
async def discard(request: Request, envelope_id: str, caller: Operator) -> Response:
    async def act(_: Turn) -> Answer:
        use = uses(request)
        before = _audited(await use.replay_envelopes.get(envelope_id))
        async with use.audit.changing(caller, "parked_envelope.discard", envelope_id, before=before) as noted:
            done = await use.replay_envelopes.discard(envelope_id, caller)
            noted.after = _audited(done)
        return answered({"success": True, **_view(done)})

    return await post_bare(request, caller, act)


@router.get("/{envelope_id:path}", response_model=answers.ParkedEnvelopeShown, summary="One of them with its body")
async def show(request: Request, envelope_id: str, _: Operator) -> Response:
    found = await uses(request).replay_envelopes.get(envelope_id)
    # A large one takes a while, for which nobody else has to wait.
    return JSON({**_view(found), "body": await asyncio.to_thread(shown, found.body[:SHOWN_CHARACTERS])})


def _view(envelope: ParkedEnvelope) -> dict[str, Any]:
    """Without the body, which may be large."""
    return {
        "id": envelope.id,
        "status": envelope.status,
        "queue": envelope.queue,
        "reason": mask_in_text(envelope.reason),
        "exchange": envelope.exchange,
        "routing_key": envelope.routing_key,
        "body_bytes": envelope.body_bytes,
        "complete": envelope.complete,
        "parked_at": envelope.parked_at,
        "replays": envelope.replays,
        "replayed_at": envelope.replayed_at,
        "replayed_by": envelope.replayed_by,
        "discarded_at": envelope.discarded_at,
        "discarded_by": envelope.discarded_by,
        "earlier": [{**one, "reason": mask_in_text(one["reason"])} for one in envelope.earlier],
    }


def _audited(envelope: ParkedEnvelope) -> dict[str, Any]:
    return {"status": envelope.status, "replays": envelope.replays}
