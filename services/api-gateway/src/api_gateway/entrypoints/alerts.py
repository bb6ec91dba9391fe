"""/api/alerts"""

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from api_gateway.entrypoints import answers
from api_gateway.entrypoints.answering import JSON
from api_gateway.entrypoints.authentication import Operator
from api_gateway.entrypoints.paging import Cursor, Limit, after_cursor, cursor_after
from api_gateway.entrypoints.uses import uses
from common.contracts.documents import AlertDocument
from common.contracts.vocabulary import AlertKind, AlertNews, AlertStatus
from common.kernel.phone import mask_in_text

router = APIRouter(prefix="/api/alerts", tags=["alerts"])


class AlertTold(BaseModel):
    """When administrators were told that it began and that it was over; `null` while they were not."""

    raised: datetime | None
    cleared: datetime | None


class Alert(BaseModel):
    """Something that is wrong, from when it was noticed until it was over."""

    id: str
    cause: str = Field(description="The same each time, like device:fonnte-1; one is active at most.")
    kind: AlertKind
    about: str | None = Field(description="The sender or the job.")
    status: AlertStatus
    summary: str
    raised_at: datetime
    cleared_at: datetime | None
    told: AlertTold
    waiting: bool = Field(description="Whether administrators are still to be told something and cannot be so far.")


@router.get("", response_model=answers.Page[Alert], summary="What is wrong and what was, the latest first")
async def list_alerts(
    request: Request, _: Operator, status: AlertStatus | None = None, limit: Limit = 50, cursor: Cursor = None
) -> Response:
    found = await uses(request).alerts.page(status, after_cursor(cursor, "alr_"), limit)
    last = None if len(found) < limit else found[-1]["_id"]
    return JSON({"items": [_view(one) for one in found], "next_cursor": cursor_after(last)})


def _view(alert: AlertDocument) -> dict[str, Any]:
    return {
        "id": alert["_id"],
        "cause": alert["cause"],
        "kind": alert["kind"],
        "about": alert["about"],
        "status": alert["status"],
        "summary": mask_in_text(alert["summary"]),
        "raised_at": alert["raised_at"],
        "cleared_at": alert["cleared_at"],
        "told": {news.value: alert["told"].get(news) for news in AlertNews},
        "waiting": "untold" in alert,
    }
