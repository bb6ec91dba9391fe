"""Routes over HTTP: everybody reads, an administrator changes, nobody overwrites what he has not seen."""

import asyncio
from typing import Any

import pytest

from common.contracts.vocabulary import NotificationType
from tests.support.api import Api, assert_error, wait_until

Document = dict[str, Any]
HOURS = {"begins": "08:00", "ends": "20:00"}


@pytest.fixture(autouse=True)
def as_released(api: Api) -> None:
    wait_until(lambda: api.rows["templates"].count_documents({}) >= len(NotificationType) - 1, "nothing was seeded")
    for collection in ("audit_log", "routes"):
        api.rows[collection].delete_many({})


async def ask(api: Api, method: str, path: str, body: object = None, *, status: int = 200) -> Document:
    async with api.client("admin", sub="sari") as client:
        response = await client.request(method, f"/api/routes{path}", json=body)
    assert response.status_code == status, response.text
    answer: Document = response.json()
    return answer


async def change(api: Api, kind: str, **body: Any) -> Document:
    return await ask(api, "PATCH", f"/{kind}", body)


async def test_every_type_has_a_route(api: Api) -> None:
    listed = await ask(api, "GET", "")
    assert [one["type"] for one in listed["items"]] == [kind.value for kind in NotificationType]
    otp = next(one for one in listed["items"] if one["type"] == "otp")
    assert (otp["priority"], otp["validity_seconds"], otp["changed"], otp["revision"]) == ("critical", 300.0, [], 0)


async def test_a_change_is_merged_over_the_default(api: Api) -> None:
    changed = await change(api, "welcome", priority="high", hours=HOURS, providers=["wablas"])
    assert (changed["priority"], changed["hours"], changed["providers"]) == ("high", HOURS, ["wablas"])
    assert changed["on_unknown"] == "hold"
    assert sorted(changed["changed"]) == ["hours", "priority", "providers"]
    assert changed["default"]["priority"] == "normal"
    assert (changed["revision"], changed["changed_by"]) == (1, "sari")
    shown = await ask(api, "GET", "/welcome")
    assert {**shown, "success": True} == changed


async def test_a_field_or_the_whole_route_goes_back_to_its_default(api: Api) -> None:
    await change(api, "promotion", hours=None, enabled=False)
    changed = await change(api, "promotion", reset=["enabled"])
    assert (changed["hours"], changed["enabled"], changed["changed"]) == (None, True, ["hours"])
    restored = await ask(api, "DELETE", "/promotion")
    assert (restored["changed"], restored["revision"]) == ([], 3)
    assert restored["hours"] == restored["default"]["hours"] != None  # noqa: E711 - a chain reads best
    assert (await ask(api, "DELETE", "/promotion"))["revision"] == 3


async def test_a_change_under_an_older_revision_is_a_conflict(api: Api) -> None:
    await change(api, "welcome", revision=0, priority="high")
    async with api.client() as client:
        for revision in (0, 5):
            response = await client.patch("/api/routes/welcome", json={"priority": "low", "revision": revision})
            assert "revision 1" in str(assert_error(response, 409, "CONFLICT")["error"])
    assert (await change(api, "welcome", revision=1, priority="low"))["revision"] == 2


async def test_changes_at_once_of_different_fields_all_hold(api: Api) -> None:
    fields: Document = {
        "priority": "high",
        "enabled": False,
        "suppressible": False,
        "dedupe_seconds": 5.0,
        "hours": HOURS,
    }
    await asyncio.gather(*(change(api, "welcome", **{name: value}) for name, value in fields.items()))
    shown = await ask(api, "GET", "/welcome")
    assert {name: shown[name] for name in fields} == fields
    assert shown["revision"] == len(fields)


async def test_every_change_is_in_the_audit_log(api: Api) -> None:
    await change(api, "welcome", priority="high")
    await ask(api, "DELETE", "/welcome")
    first, second = api.rows["audit_log"].find().sort("_id", 1)
    assert (first["actor"], first["action"], first["targets"]) == ("sari", "route.change", ["welcome"])
    assert (first["before"], first["after"], first["outcome"]) == ({}, {"priority": "high"}, "done")
    assert (second["before"], second["after"]) == ({"priority": "high"}, {})


async def test_an_idempotency_key_changes_once(api: Api) -> None:
    async with api.client() as client:
        for _ in range(2):
            response = await client.patch(
                "/api/routes/welcome", json={"priority": "high"}, headers={"Idempotency-Key": "route"}
            )
    assert response.headers["Idempotent-Replayed"] == "true"
    assert (await ask(api, "GET", "/welcome"))["revision"] == 1


@pytest.mark.parametrize(
    ("kind", "body", "field"),
    [
        ("welcome", {}, "body"),
        ("welcome", {"prio": "high"}, "prio"),
        ("welcome", {"priority": "urgent"}, "priority"),
        ("welcome", {"priority": None}, "priority"),
        ("welcome", {"enabled": 1}, "enabled"),
        ("welcome", {"providers": []}, "providers"),
        ("welcome", {"providers": ["woowa"]}, "providers.0"),
        ("welcome", {"providers": ["fonnte", "fonnte"]}, "providers"),
        ("welcome", {"channels": []}, "channels"),
        ("welcome", {"channels": ["email"]}, "channels"),
        ("welcome", {"channels": ["whatsapp", "email"]}, "channels"),
        ("welcome", {"channels": ["sms"]}, "channels.0"),
        ("welcome", {"validity_seconds": 0.5}, "validity_seconds"),
        ("welcome", {"validity_seconds": 30 * 86400 + 1}, "validity_seconds"),
        ("welcome", {"validity_seconds": "60"}, "validity_seconds"),
        ("welcome", {"unknown_wait_seconds": -1}, "unknown_wait_seconds"),
        ("welcome", {"dedupe_seconds": -1}, "dedupe_seconds"),
        ("welcome", {"on_unknown": "drop"}, "on_unknown"),
        ("welcome", {"hours": {"begins": "7:00", "ends": "21:00"}}, "hours.begins"),
        ("welcome", {"hours": {"begins": "07:00", "ends": "24:00"}}, "hours.ends"),
        ("welcome", {"hours": {"begins": "07:00"}}, "hours.ends"),
        ("welcome", {"hours": {"begins": "07:00", "ends": "07:00"}}, "hours"),
        ("welcome", {"reset": ["revision"]}, "reset.0"),
        ("welcome", {"reset": ["hours"], "hours": None}, "reset"),
        ("welcome", {"revision": -1, "priority": "high"}, "revision"),
    ],
)
async def test_a_bad_change_is_refused_by_its_field(api: Api, kind: str, body: Document, field: str) -> None:
    async with api.client() as client:
        assert_error(await client.patch(f"/api/routes/{kind}", json=body), 422, "VALIDATION_ERROR", field=field)
    assert api.rows["routes"].count_documents({}) == 0


async def test_a_type_may_go_by_e_mail_once_its_template_has_one(api: Api) -> None:
    changed = await change(api, "payment_overdue", channels=["whatsapp"])
    assert changed["channels"] == ["whatsapp"]
    changed = await change(api, "payment_overdue", channels=["whatsapp", "email"])
    assert changed["channels"] == ["whatsapp", "email"]


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
async def test_a_type_nobody_knows_is_not_found(api: Api, method: str) -> None:
    assert (await ask(api, method, "/wellcome", {"priority": "high"} if method == "PATCH" else None, status=404))[
        "code"
    ] == "NOT_FOUND"
