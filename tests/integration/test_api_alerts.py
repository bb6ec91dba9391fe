"""Operators see what is wrong and what was, page by page."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx import AsyncClient

from api_gateway.adapters.mongo_alerts import MongoAlerts, selected
from common.contracts.vocabulary import AlertKind, AlertStatus
from common.mongo.connection import Document, connect
from scheduler.domain import alerts
from scheduler.domain.findings import Finding
from tests.support.api import Api, assert_error
from tests.support.directory_rows import staff, tell

NOW = datetime(2025, 11, 18, 3, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _empty(api: Api) -> Iterator[None]:
    yield
    api.rows["alerts"].delete_many({})


def alert(number: int, **changes: Any) -> Document:
    summary = f"fonnte-{number}: its device cannot send: 6281200000001 logged out"
    finding = Finding(f"device:fonnte-{number}", AlertKind.DEVICE, f"fonnte-{number}", wrong=True, summary=summary)
    raised = alerts.raised(f"alr_{number:03d}", finding, NOW + timedelta(minutes=number), cleared_at=None)
    return {**raised, **changes}


def cleared(number: int) -> Document:
    """Told when it began and when it was over."""
    told = {"raised": NOW, "cleared": NOW}
    over = alert(number, status="cleared", cleared_at=NOW, told=told)
    del over["untold"]
    return over


async def test_the_latest_come_first_and_active_ones_can_be_asked_for(api: Api) -> None:
    api.rows["alerts"].insert_many([cleared(1), alert(2), cleared(3), alert(4)])
    async with api.client("noc") as client:
        page = (await client.get("/api/alerts", params={"limit": 3})).json()
        rest = (await client.get("/api/alerts", params={"limit": 3, "cursor": page["next_cursor"]})).json()
        active = (await client.get("/api/alerts", params={"status": "active"})).json()
        assert_error(await client.get("/api/alerts", params={"status": "angry"}), 422, "VALIDATION_ERROR")
        assert_error(await client.get("/api/alerts", params={"cursor": "x"}), 422, "VALIDATION_ERROR")
    assert [one["about"] for one in page["items"]] == ["fonnte-4", "fonnte-3", "fonnte-2"]
    assert ([one["about"] for one in rest["items"]], rest["next_cursor"]) == (["fonnte-1"], None)
    assert [(one["about"], one["waiting"], one["told"]["raised"]) for one in active["items"]] == [
        ("fonnte-4", True, None),
        ("fonnte-2", True, None),
    ]
    assert "6281200000001" not in page["items"][0]["summary"]
    assert page["items"][1]["cleared_at"] is not None


@pytest.mark.parametrize("status", [None, AlertStatus.ACTIVE])
@pytest.mark.parametrize("before", [None, "alr_9"])
async def test_a_page_is_read_from_an_index(mongodb_url: str, status: AlertStatus | None, before: str | None) -> None:
    async with connect(mongodb_url, name="test") as mongo:
        await mongo.create_indexes()
        assert await MongoAlerts(mongo).page(status, before, 5) == []
        plan = await mongo["alerts"].find(selected(status, before)).sort("_id", -1).limit(5).explain()
        assert "COLLSCAN" not in str(plan["queryPlanner"]["winningPlan"])
        assert "SORT" not in str(plan["queryPlanner"]["winningPlan"]["stage"])


async def test_an_alert_goes_to_the_administrators_number_while_none_of_them_can_be_told(api: Api) -> None:
    body = {"type": "system_alert", "data": {"cause": "pemantauan", "detail": "Server penuh."}}
    tell(api.rows, "staff", staff("S-1", "admin", None))
    async with api.client() as client:
        told = [await _alerted(api, client, body)]
        tell(api.rows, "staff", staff("S-1", "admin", "6281200000011"))
        told.append(await _alerted(api, client, body))
        api.rows["suppressions"].insert_one({"_id": "6281200000011", "reason": "opt_out"})
        told.append(await _alerted(api, client, body))
        api.rows["suppressions"].insert_one({"_id": "6281200000099", "reason": "opt_out"})
        assert_error(await client.post("/api/notifications", json=body), 422, "NO_RECIPIENT", field="to")
        metrics = (await client.get("/metrics")).text
    assert told == [["6281200000099"], ["6281200000011"], ["6281200000099", "6281200000011"]]
    assert 'alert_unreachable_total{type="system_alert"} 1.0' in metrics
    assert "alert.unreachable" in api.log.read_text()


async def _alerted(api: Api, client: AsyncClient, body: Document) -> list[str]:
    answer = await client.post("/api/notifications", json=body)
    assert answer.status_code == 202, answer.text
    found = api.rows["notifications"].find_one({"_id": answer.json()["notification_id"]})
    assert found is not None
    return [member["to"] for member in found["audience"]]
