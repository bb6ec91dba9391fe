"""/webhooks/{provider}/{secret}: what providers tell us, and where."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.application.accept_notification import Turn
from api_gateway.application.ports import Answer
from api_gateway.domain.webhooks import ANSWERS
from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import encode
from api_gateway.entrypoints.authentication import Admin
from api_gateway.entrypoints.openapi import NO_BODY
from api_gateway.entrypoints.posting import post_bare
from api_gateway.entrypoints.reading import read
from api_gateway.entrypoints.uses import uses

MOST_BYTES = 256 * 1024
router = APIRouter(tags=["webhooks"])
SHOWN_ONCE = "the addresses are shown once and were; rotate again if they are lost"


@router.post(
    "/webhooks/{provider}/{secret}",
    summary="Take a provider's webhook, of any content type",
    response_class=Response,
    openapi_extra={"security": []},
)
async def take(request: Request, provider: str, secret: str) -> Response:
    """The answer is the one the provider expects; whoever does not know the secret finds nothing here."""
    take_webhook = uses(request).take_webhook
    take_webhook.admit(provider, secret)
    body = await read(request, most_bytes=MOST_BYTES)
    await take_webhook(provider, request.headers.get("content-type", ""), body)
    answer = ANSWERS[provider]
    return Response(answer, media_type="application/json" if answer else None)


@router.post(
    "/api/provider-webhooks/rotate-secret",
    response_model=answers.ProviderWebhooks,
    summary="New addresses for the providers' webhooks; the old ones are taken for a day",
    openapi_extra=NO_BODY,
)
async def rotate(request: Request, caller: Admin) -> Response:
    async def act(turn: Turn) -> Answer:
        use = uses(request)
        async with use.audit.changing(caller, "provider-webhooks.rotate", "webhooks") as change:
            paths, former_until = await use.replace_webhook_secret(turn.notification_id)
            change.after = {"former_until": former_until}
        shown = {"success": True, "paths": paths, "former_until": former_until}
        # What is kept for a repeated request must not hold the secret.
        kept = encode({**shown, "paths": None, "warning": SHOWN_ONCE})
        return Answer(200, kept, shown_once=encode(shown))

    return await post_bare(request, caller, act)
