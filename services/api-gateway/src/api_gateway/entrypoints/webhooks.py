"""/webhooks/{provider}/{secret}: what providers tell us."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from api_gateway.domain.webhooks import ANSWERS
from api_gateway.entrypoints.reading import read
from api_gateway.entrypoints.uses import uses

MOST_BYTES = 256 * 1024
router = APIRouter(tags=["webhooks"])


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
