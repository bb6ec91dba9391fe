"""/api/whatsapp-notifications: every address with its body, its roles and its answer."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from common.catalogue.examples import EXAMPLE_DATA
from common.contracts.vocabulary import NotificationType
from tests.support.api import Api, assert_error, until
from tests.support.directory_rows import tell, tell_examples
from tests.support.stored_deliveries import stored_delivery, stored_notification

T = NotificationType
JAKARTA = ZoneInfo("Asia/Jakarta")
ROOT = "/api/whatsapp-notifications"
ROLES = ("admin", "manager", "supervisor", "noc", "cs", "technician")
EMERGENCY = {
    "type": "Kabel putus", "area": "Depok", "customersAffected": 120, "status": "Ditangani", "eta": "16.00 WIB",
    "actions": ["Menyambung kabel"],
}  # fmt: skip
MAINTENANCE = {
    "type": "Pemeliharaan", "area": "Depok", "startDate": "2025-11-21", "startTime": "23:00", "duration": "2 jam",
    "impact": "Koneksi terputus", "reason": "Peningkatan kapasitas",
}  # fmt: skip
PROMOTION = {
    "campaignTitle": "Promo", "offer": "Diskon tiga bulan", "discount": "25%", "validUntil": "2025-12-31",
    "terms": ["Pelanggan aktif"], "ctaText": "Daftar", "ctaLink": "https://example.com/promo",
}  # fmt: skip
LEADERS = {"admin", "manager", "supervisor"}
ENDPOINTS: list[tuple[str, dict[str, Any] | None, T, set[str]]] = [
    ("emergency-alert", EMERGENCY, T.EMERGENCY_ALERT, {"admin", "manager", "supervisor", "noc"}),
    ("maintenance", MAINTENANCE, T.MAINTENANCE, {"admin", "supervisor", "noc"}),
    ("daily-summary", None, T.DAILY_SUMMARY, {"admin", "manager"}),
    ("welcome/C-1001", None, T.WELCOME, {"admin", "cs"}),
    ("upgrade-offer/C-1001", {"upgradePackageId": "P-50"}, T.UPGRADE_OFFER, {"admin", "manager"}),
    ("survey/T-2025-0117", None, T.SATISFACTION_SURVEY, set(ROLES)),
    ("promotion-campaign", PROMOTION, T.PROMOTION, {"admin", "manager"}),
    ("promotion-campaign", {**PROMOTION, "targetCustomers": ["C-1001"]}, T.PROMOTION, {"admin", "manager"}),
    ("technician-performance/TK-7", None, T.TECHNICIAN_PERFORMANCE, LEADERS),
    ("technician-performance/TK-7", {"period": "2025-11"}, T.TECHNICIAN_PERFORMANCE, LEADERS),
    ("installation-schedule/C-1001", {"date": "2025-11-22", "time": "09:00"}, T.INSTALLATION_SCHEDULE,
     {"admin", "supervisor", "noc", "cs"}),
]  # fmt: skip
MANY = {T.EMERGENCY_ALERT, T.MAINTENANCE, T.DAILY_SUMMARY, T.PROMOTION}


@pytest.fixture(scope="module", autouse=True)
def _rows(api: Api) -> None:
    tell_examples(api.rows)


async def post(api: Api, path: str, body: Any = None, role: str = "admin", **headers: str) -> httpx.Response:
    async with api.client(role) as client:
        if body is None:
            return await client.post(f"{ROOT}/{path}", headers=headers)
        return await client.post(f"{ROOT}/{path}", json=body, headers=headers)


async def accepted(api: Api, path: str, body: Any = None) -> dict[str, Any]:
    response = await post(api, path, body)
    assert response.status_code == 202, response.text
    stored = api.rows["notifications"].find_one({"_id": response.json()["notification_id"]})
    assert stored is not None
    return stored


@pytest.mark.parametrize("path", ["welcome", "upgrade-offer", "survey", "technician-performance",
                                  "installation-schedule"])  # fmt: skip
async def test_an_id_with_a_slash_is_looked_up_whole(api: Api, path: str) -> None:
    body = {"upgradePackageId": "P-50"} if path.startswith("upgrade") else None
    body = {"date": "2025-11-22", "time": "09:00"} if path.startswith("installation") else body
    assert_error(await post(api, f"{path}/", body), 404, "NOT_FOUND")
    for written in ("JKT%2F9%2F1", "JKT/9/1"):
        error = assert_error(await post(api, f"{path}/{written}", body), 404, "NOT_FOUND")["error"]
        assert error.endswith("JKT/9/1")


@pytest.mark.parametrize(("path", "body", "kind", "roles"), ENDPOINTS)
async def test_an_address_takes_its_body_from_its_roles_and_answers_202(
    api: Api, path: str, body: dict[str, Any] | None, kind: T, roles: set[str]
) -> None:
    for role in ROLES:
        response = await post(api, path, body, role)
        if role not in roles:
            error = assert_error(response, 403, "FORBIDDEN")["error"]
            assert all(one in error for one in roles)
            continue
        assert response.status_code == 202, response.text
        answer = response.json()
        assert answer["success"] is True
        assert answer["deliveries"] >= 1
        assert response.headers["location"] == f"/api/notifications/{answer['notification_id']}"
        assert (answer.get("totalSent"), answer.get("totalCustomers")) == (
            (answer["deliveries"], answer["deliveries"]) if kind in MANY else (None, None)
        )
        stored = api.rows["notifications"].find_one({"_id": answer["notification_id"]})
        assert stored is not None
        assert stored["type"] == kind


@pytest.mark.parametrize(("path", "body", "kind", "roles"), ENDPOINTS)
async def test_without_a_token_nobody_gets_in(
    api: Api, path: str, body: dict[str, Any] | None, kind: T, roles: set[str]
) -> None:
    assert kind
    assert roles
    async with api.client(None) as client:
        assert_error(await client.post(f"{ROOT}/{path}", json=body), 401, "UNAUTHENTICATED")


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("emergency-alert", None, "customersAffected"),
        ("emergency-alert", {**EMERGENCY, "customersAffected": -1}, "customersAffected"),
        ("emergency-alert", {**EMERGENCY, "actions": "x"}, "actions"),
        ("emergency-alert", {**EMERGENCY, "colour": "red"}, "colour"),
        ("maintenance", {**MAINTENANCE, "startTime": "25:00"}, "startTime"),
        ("maintenance", {**MAINTENANCE, "area": "Atlantis"}, "area"),
        ("maintenance", {**MAINTENANCE, "force": "yes"}, "force"),
        ("daily-summary", {"date": "soon"}, "date"),
        ("daily-summary", {"date": "9999-12-31"}, "date"),
        ("daily-summary", {"date": "0001-01-01"}, "date"),
        ("daily-summary", {"date": "9999-12-31", "ticketsOpened": 4}, "date"),
        ("daily-summary", {"date": "1999-12-31", "ticketsOpened": 4}, "date"),
        ("technician-performance/T-1", {"period": "0001-01"}, "period"),
        ("technician-performance/TK-7", {"period": "9998-01-01/9998-02-01", "ticketsDone": 4}, "period"),
        ("daily-summary", {"date": "2025-11-18", "ticketsOpened": "x"}, "ticketsOpened"),
        ("upgrade-offer/C-1001", {}, "upgradePackageId"),
        ("upgrade-offer/C-1001", {"upgradePackageId": "P-9"}, "upgradePackageId"),
        ("welcome/C-1001", {"customerId": "C-1001"}, "customerId"),
        ("promotion-campaign", {**PROMOTION, "validUntil": "soon"}, "validUntil"),
        ("promotion-campaign", {**PROMOTION, "ctaLink": "example"}, "ctaLink"),
        ("technician-performance/TK-7", {"period": "once"}, "period"),
        ("installation-schedule/C-1001", None, "date"),
        ("installation-schedule/C-1001", {"date": "2025-11-22", "time": "9"}, "time"),
    ],
)
async def test_what_is_wrong_in_a_body_is_named_as_it_is_written_there(
    api: Api, path: str, body: Any, field: str
) -> None:
    assert_error(
        await post(api, path, body), 422, "VALIDATION_ERROR" if field != "area" else "NO_RECIPIENT", field=field
    )


@pytest.mark.parametrize(
    "path",
    ["welcome/C-9", "welcome/-", "upgrade-offer/C-9", "survey/T-9", "technician-performance/X-1",
     "installation-schedule/C-9"],
)  # fmt: skip
async def test_what_the_path_names_and_nobody_knows_is_not_there(api: Api, path: str) -> None:
    body = {"upgradePackageId": "P-50"} if "upgrade" in path else None
    body = {"date": "2025-11-22", "time": "09:00"} if "schedule" in path else body
    assert_error(await post(api, path, body), 404, "NOT_FOUND")


async def test_who_has_no_number_is_refused_by_name(api: Api) -> None:
    tell(api.rows, "customers", {"id": "C-mute", "name": "Tanpa nomor"})
    refused = await post(api, "welcome/C-mute")
    assert assert_error(refused, 422, "INVALID_PHONE")["error"] == "customerId: customer C-mute has no phone number"


async def test_the_same_key_is_done_once(api: Api) -> None:
    first = await post(api, "welcome/C-1001", **{"Idempotency-Key": "once"})
    again = await post(api, "welcome/C-1001", **{"Idempotency-Key": "once"})
    other = await post(api, "survey/T-2025-0117", **{"Idempotency-Key": "once"})
    assert first.json() == again.json()
    assert_error(other, 422, "IDEMPOTENCY_CONFLICT")


def work(identity: str, resolved: datetime, **changes: Any) -> dict[str, Any]:
    """A ticket of TK-7 that took two hours and was done in time."""
    opened = resolved - timedelta(hours=2)
    fields = {"technician_id": "TK-7", "status": "resolved", "opened_at": opened, "resolved_at": resolved,
              "deadline": resolved + timedelta(hours=1)}  # fmt: skip
    return {"id": identity, **fields, **changes}


async def test_a_day_without_figures_is_summed_up_from_its_tickets(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    noon = datetime.now(JAKARTA).replace(hour=12, minute=0, second=0, microsecond=0)
    api.rows["tickets"].delete_many({})
    tell_examples(api.rows)
    api.rows["tickets"].delete_many({})
    tell(
        api.rows,
        "tickets",
        work("T-1", noon),
        work("T-2", noon, deadline=noon - timedelta(hours=1), technician_id="TK-8"),
        work("T-3", noon - timedelta(days=1)),
        {"id": "T-4", "status": "open", "title": "Mati total", "opened_at": noon, "deadline": now - timedelta(hours=1)},
        {"id": "T-5", "status": "assigned", "technician_id": "TK-9", "opened_at": noon - timedelta(days=3)},
    )
    try:
        data = (await accepted(api, "daily-summary"))["data"]
        before = (await accepted(api, "daily-summary", {"date": (noon.date() - timedelta(days=1)).isoformat()}))["data"]
    finally:
        api.rows["tickets"].delete_many({})
        tell_examples(api.rows)
    assert data == {
        "date": noon.date().isoformat(),
        "tickets_opened": 3,
        "tickets_closed": 2,
        "tickets_open": 2,
        "sla_met_percent": 50.0,
        "technicians_active": 3,
        "issues": ["Tiket T-4 melewati batas waktu: Mati total"],
    }
    assert (before["tickets_closed"], before["sla_met_percent"], "tickets_open" in before) == (1, 100.0, False)


async def test_a_day_with_figures_is_told_as_it_is_given(api: Api) -> None:
    body = {"date": "2025-11-18", "ticketsOpened": 4, "issues": ["Listrik padam"]}
    data = (await accepted(api, "daily-summary", body))["data"]
    assert data == {"date": "2025-11-18", "tickets_opened": 4, "issues": ["Listrik padam"]}


async def test_the_period_of_given_figures_may_have_any_name(api: Api) -> None:
    body = {"period": "Triwulan I", "ticketsDone": 4}
    data = (await accepted(api, "technician-performance/TK-7", body))["data"]
    assert (data["period"], data["tickets_done"]) == ("Triwulan I", 4)


async def test_a_technician_is_told_the_figures_of_a_period(api: Api) -> None:
    at = datetime(2025, 11, 12, 12, tzinfo=JAKARTA)
    tell(api.rows, "technicians", {"id": "TK-8", "name": "Lain", "phone": "6281200000008", "status": "active"})
    tell(
        api.rows,
        "tickets",
        work("T-11", at, rating=5),
        work("T-12", at, rating=4, deadline=at - timedelta(minutes=1)),
        *(work(f"T-2{n}", at, technician_id="TK-8") for n in range(3)),
        work("T-13", at - timedelta(days=60)),
    )
    data = (await accepted(api, "technician-performance/TK-7", {"period": "2025-W46"}))["data"]
    assert {name: data[name] for name in data if name != "technician"} == {
        "technician_id": "TK-7",
        "period": "10-16 November 2025",
        "tickets_done": 2,
        "average_hours": 2.0,
        "sla_met_percent": 50.0,
        "rating": 4.5,
        "rank": 2,
        "technicians": 2,
    }
    last_week = (await accepted(api, "technician-performance/TK-7"))["data"]
    assert (last_week["tickets_done"], "rank" in last_week) == (0, False)


async def test_a_broadcast_that_takes_longer_than_it_is_valid_is_refused_unless_forced(api: Api) -> None:
    sender = {"_id": "fonnte-1", "provider": "fonnte", "max_text_chars": 4096,
              "gateway_seen_at": datetime.now(UTC) + timedelta(minutes=5)}  # fmt: skip
    tell(api.rows, "customers",
         *({"id": f"C-x{n}", "phone": f"628130000{n:04}", "area": "Jauh", "status": "active"} for n in range(1_200)),
    )  # fmt: skip
    api.rows["senders"].replace_one({"_id": "fonnte-1"}, sender, upsert=True)
    body = {**MAINTENANCE, "area": "Jauh"}
    found: list[httpx.Response] = []

    async def refused() -> bool:
        found.append(await post(api, "maintenance", body))
        return found[-1].status_code != 202

    try:
        await until(refused, "it is still accepted")
        forced = await post(api, "maintenance", {**body, "force": True})
    finally:
        api.rows["senders"].delete_many({})
        api.rows["customers"].delete_many({"area": "Jauh"})
    assert assert_error(found[-1], 422, "BEYOND_VALIDITY")["estimated_finish"]
    assert forced.status_code == 202
    assert forced.json()["warning"]


async def test_the_statistics_of_the_last_seven_days(api: Api) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    api.rows["deliveries"].delete_many({})

    def delivery(status: str, kind: str = "custom", *, days: int = 0, **changes: Any) -> dict[str, Any]:
        notification = stored_notification(created_at=now - timedelta(days=days))
        return stored_delivery(status, notification=notification, type=kind, **changes)

    api.rows["deliveries"].insert_many(
        [
            delivery("sent", sent_by="fonnte"),
            delivery("delivered", sent_by="fonnte"),
            delivery("read", "otp", sent_by="wablas", failover=True),
            delivery("failed"),
            delivery("queued"),
            delivery("suppressed", "promotion"),
            delivery("sent", sent_by="fonnte", days=8),
        ]
    )
    async with api.client("technician") as client:
        response = await client.get(f"{ROOT}/stats")
    assert response.status_code == 200, response.text
    body = response.json()
    assert {
        "total": 6, "sent": 3, "failed": 1, "via_fonnte": 2, "via_wablas": 1, "delivered": 2, "read": 1, "waiting": 1,
        "suppressed": 1, "cancelled": 0, "expired": 0, "unknown": 0, "failovers": 1, "failover_share": 0.3333,
    }.items() <= body["summary"].items()  # fmt: skip
    assert body["details"][0] == {"notification_type": "custom", "count": 4}
    assert {one["notification_type"]: one["count"] for one in body["details"]} == {
        "custom": 4,
        "otp": 1,
        "promotion": 1,
    }
    assert body["by_channel"] == {"whatsapp": 6}
    assert body["by_provider"]["fonnte"] == {"sent": 2, "cost": 0.0}
    api.rows["deliveries"].delete_many({})


async def test_statistics_of_nothing_are_zeros(api: Api) -> None:
    api.rows["deliveries"].delete_many({})
    async with api.client("cs") as client:
        body = (await client.get(f"{ROOT}/stats")).json()
    assert (body["summary"]["total"], body["summary"]["via_wablas"], body["details"]) == (0, 0, [])


def test_the_examples_speak_of_the_same_types() -> None:
    assert {kind for _, _, kind, _ in ENDPOINTS} <= set(EXAMPLE_DATA)
