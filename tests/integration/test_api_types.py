"""Every notification type is accepted with its data, finds its recipients and is refused by name."""

from typing import Any

import httpx
import pytest

from common.catalogue.definitions import DEFINITIONS, Recipients
from common.catalogue.examples import EXAMPLE_DATA, EXAMPLE_ROWS
from common.contracts.vocabulary import NotificationType
from common.rendering.messages import render_message
from tests.support.api import Api, assert_error, until
from tests.support.directory_rows import staff, tell, tell_examples

T = NotificationType
CUSTOMER, TECHNICIAN, SUPERVISOR = "6281200000001", "6281200000002", "6281200000003"
CUSTOMERS_MAIL = "sari@example.com"
OF_ROLE = {role: f"62812000000{number}" for number, role in
           enumerate(("admin", "manager", "supervisor", "noc", "cs"), start=11)}  # fmt: skip
ADMINS = {OF_ROLE["admin"]}
RECIPIENTS: dict[T, set[str]] = {
    T.TICKET_ASSIGNMENT: {TECHNICIAN},
    T.TICKET_STATUS_UPDATE: {CUSTOMER},
    T.SLA_WARNING: {SUPERVISOR, OF_ROLE["supervisor"]},
    T.PAYMENT_REMINDER: {CUSTOMER, CUSTOMERS_MAIL},
    T.INSTALLATION_SCHEDULE: {CUSTOMER},
    T.REGISTRATION_CONFIRMATION: {CUSTOMER},
    T.DAILY_SUMMARY: {SUPERVISOR, OF_ROLE["supervisor"], OF_ROLE["manager"]},
    T.EMERGENCY_ALERT: {SUPERVISOR, TECHNICIAN, *OF_ROLE.values()},
    T.WELCOME: {CUSTOMER},
    T.UPGRADE_OFFER: {CUSTOMER},
    T.SATISFACTION_SURVEY: {CUSTOMER},
    T.TECHNICIAN_PERFORMANCE: {TECHNICIAN},
    T.PAYMENT_OVERDUE: {CUSTOMER, CUSTOMERS_MAIL},
    T.PAYMENT_LINK: {CUSTOMER},
    T.PAYMENT_RECEIVED: {CUSTOMER},
    T.ACCOUNT_ACTIVATED: {CUSTOMER},
    T.INCIDENT_REPORT: ADMINS,
    T.WEEKLY_REFLECTION: ADMINS,
    T.LEARNING_LOG: ADMINS,
    T.SYSTEM_ALERT: ADMINS,
    T.QUOTA_ALERT: ADMINS,
}
SUBJECTS = {
    T.TICKET_ASSIGNMENT: ("ticket T-2025-0117", "TK-7"),
    T.PAYMENT_REMINDER: ("invoice INV-2025-11-1001", "T-3"),
    T.PAYMENT_OVERDUE: ("invoice INV-2025-11-1001", "T+3"),
    T.WELCOME: ("customer C-1001", None),
    T.DAILY_SUMMARY: ("day 2025-11-18", None),
}


@pytest.fixture(scope="module", autouse=True)
def _rows(api: Api) -> None:
    tell_examples(api.rows)


async def submit(api: Api, notification_type: str, role: str = "admin", **body: Any) -> httpx.Response:
    async with api.client(role) as client:
        return await client.post("/api/notifications", json={"type": notification_type, **body})


async def accepted(api: Api, notification_type: str, **body: Any) -> dict[str, Any]:
    """The stored notification of a request that is accepted."""
    response = await submit(api, notification_type, **body)
    assert response.status_code == 202, response.text
    stored = api.rows["notifications"].find_one({"_id": response.json()["notification_id"]})
    assert stored is not None
    return {**stored, "answer": response.json()}


def told(stored: dict[str, Any]) -> set[str]:
    return {member["to"] for member in stored["audience"]}


def test_every_type_that_finds_its_recipients_is_among_those_tried() -> None:
    found = {
        kind for kind, one in DEFINITIONS.items() if one.recipients not in {Recipients.GIVEN, Recipients.CUSTOMERS}
    }
    assert found == set(RECIPIENTS)


@pytest.mark.parametrize("kind", RECIPIENTS)
async def test_a_type_finds_its_recipients_and_is_told_in_its_own_words(api: Api, kind: T) -> None:
    stored = await accepted(api, kind, data=EXAMPLE_DATA[kind])
    assert told(stored) == RECIPIENTS[kind]
    assert stored["recipients"] == stored["answer"]["deliveries"] == len(RECIPIENTS[kind])
    assert stored["template"].startswith(f"{kind}:")
    assert stored["priority"] == DEFINITIONS[kind].route.priority
    assert stored["validity_seconds"] == DEFINITIONS[kind].route.validity_seconds
    assert stored["suppressible"] is DEFINITIONS[kind].route.suppressible
    assert stored.get("hours") == DEFINITIONS[kind].route.hours
    assert set(DEFINITIONS[kind].rows) <= {*stored["data"], "package"}
    for member in stored["audience"]:
        text, template = render_message(stored, member)  # type: ignore[arg-type]
        assert text.strip()
        assert template == stored["template"]


@pytest.mark.parametrize(("kind", "about"), SUBJECTS.items())
async def test_what_it_is_about_is_written_down(api: Api, kind: T, about: tuple[str, str | None]) -> None:
    stored = await accepted(api, kind, data=EXAMPLE_DATA[kind])
    assert (stored["subject"], stored.get("stage")) == about


@pytest.mark.parametrize("kind", RECIPIENTS)
async def test_names_may_be_written_in_camel_case(api: Api, kind: T) -> None:
    shape = DEFINITIONS[kind].shape
    assert shape is not None
    aliases = {name: field.alias or name for name, field in shape.model_fields.items()}
    data = {aliases[name]: value for name, value in EXAMPLE_DATA[kind].items()}
    snake = await accepted(api, kind, data=EXAMPLE_DATA[kind])
    assert (await accepted(api, kind, data=data))["data"] == snake["data"]


@pytest.mark.parametrize("kind", [kind for kind in DEFINITIONS if DEFINITIONS[kind].shape is not None])
async def test_every_wrong_field_of_the_data_is_named(api: Api, kind: T) -> None:
    shape = DEFINITIONS[kind].shape
    assert shape is not None
    body = {"to": CUSTOMER} if kind is T.OTP else {}
    if kind is not T.OTP:
        needed = [name for name, field in shape.model_fields.items() if field.is_required()]
        none = assert_error(await submit(api, kind, **body), 422, "VALIDATION_ERROR")
        assert {one["field"] for one in none["fields"]} >= {f"data.{name}" for name in needed[:10]}
    data = {**EXAMPLE_DATA[kind], "colour": "red"}
    unknown = assert_error(await submit(api, kind, data=data, **body), 422, "VALIDATION_ERROR", field="data.colour")
    assert "unknown field" in unknown["error"]


@pytest.mark.parametrize(
    ("kind", "change", "error"),
    [
        (T.WELCOME, {"customer_id": "C-9"}, "data.customer_id: no customer C-9 is known"),
        (T.WELCOME, {"customer_id": "*"}, "data.customer_id: must look like T-1001"),
        (T.WELCOME, {"customer_id": ""}, "data.customer_id: must not be empty"),
        (T.SLA_WARNING, {"ticket_id": "T-9"}, "data.ticket_id: no ticket T-9 is known"),
        (T.TICKET_ASSIGNMENT, {"technician_id": "X-1"}, "data.technician_id: no technician X-1 is known"),
        (T.TICKET_STATUS_UPDATE, {"ticket_id": "T-alone"}, "data.ticket_id: the ticket names no customer"),
        (T.TICKET_STATUS_UPDATE, {"ticket_id": "T-stray"}, "data.ticket_id: no customer C-8 is known"),
        (T.WELCOME, {"customer_id": "C-mute"}, "data.customer_id: customer C-mute has no phone number"),
        (T.PAYMENT_REMINDER, {"days_left": "soon"}, "data.days_left: must be a whole number"),
        (T.INSTALLATION_SCHEDULE, {"date": "soon"}, "data.date: must be a date, like 2025-11-18"),
        (T.INSTALLATION_SCHEDULE, {"time": "9"}, "data.time: must look like 08:30"),
        (T.DAILY_SUMMARY, {"sla_met_percent": 101}, "data.sla_met_percent: must be at most 100"),
        (T.PROMOTION, {"target_customers": []}, "data.target_customers: needs at least 1"),
        (T.MAINTENANCE, {"area": "Atlantis"}, "data.area: no active customer in the area Atlantis is known"),
    ],
)
async def test_what_is_wrong_is_said_with_the_fix(api: Api, kind: T, change: dict[str, Any], error: str) -> None:
    tell(api.rows, "tickets", {"id": "T-alone"}, {"id": "T-stray", "customer_id": "C-8"})
    tell(api.rows, "customers", {"id": "C-mute", "name": "Tanpa nomor"})
    response = await submit(api, kind, data={**EXAMPLE_DATA[kind], **change})
    assert response.json()["error"] == error
    assert_error(response, 422, response.json()["code"], field=error.partition(":")[0])


async def test_whoever_is_named_gets_it_instead(api: Api) -> None:
    stored = await accepted(api, T.WELCOME, data=EXAMPLE_DATA[T.WELCOME], to="0812-0000-0077")
    assert told(stored) == {"6281200000077"}
    assert stored["data"]["customer"]["name"] == EXAMPLE_ROWS["customer"]["name"]
    broadcast = await accepted(api, T.MAINTENANCE, data=EXAMPLE_DATA[T.MAINTENANCE], to=["6281200000078", "x"])
    assert told(broadcast) == {"6281200000078"}
    assert "audience_query" not in broadcast
    assert broadcast["answer"]["rejected"][0]["code"] == "INVALID_PHONE"


async def test_items_each_speak_of_rows_of_their_own(api: Api) -> None:
    tell(api.rows, "customers", {"id": "C-two", "name": "Dua", "phone": "6281200000072", "package_id": "P-50"})
    stored = await accepted(
        api,
        T.WELCOME,
        items=[
            {"to": CUSTOMER, "data": {"customer_id": "C-1001"}},
            {"to": "6281200000072", "data": {"customerId": "C-two"}},
            {"to": CUSTOMER, "data": {"customer_id": "C-9"}},
            {"to": CUSTOMER, "data": {}},
            {"to": CUSTOMER},
        ],
    )
    names = [member["data"]["customer"]["name"] for member in stored["audience"]]
    assert names == [EXAMPLE_ROWS["customer"]["name"], "Dua"]
    assert stored["audience"][1]["data"]["package"]["name"] == EXAMPLE_ROWS["package"]["name"]
    rejected = stored["answer"]["rejected"]
    assert [one["index"] for one in rejected] == [2, 3, 4]
    assert rejected[0]["error"] == "data.customer_id: no customer C-9 is known"


async def test_nobody_is_told_twice_and_whoever_has_no_number_is_named(api: Api) -> None:
    tell(api.rows, "staff", staff("S-twin", "noc", OF_ROLE["noc"]), staff("S-mute", "noc", None))
    try:
        stored = await accepted(api, T.EMERGENCY_ALERT, data=EXAMPLE_DATA[T.EMERGENCY_ALERT])
    finally:
        api.rows["staff"].delete_many({"_id": {"$in": ["S-twin", "S-mute"]}})
    assert told(stored) == RECIPIENTS[T.EMERGENCY_ALERT]
    assert len(stored["audience"]) == len(RECIPIENTS[T.EMERGENCY_ALERT])
    assert [one["error"] for one in stored["answer"]["rejected"]] == ["staff S-mute has no phone number"]
    assert stored["answer"]["totalSent"] == stored["answer"]["totalCustomers"] == stored["recipients"]


async def test_the_groups_of_a_purpose_are_told_too(api: Api) -> None:
    group, other = "120363000000000001@g.us", "120363000000000002@g.us"
    fields = {"name": "Manajemen", "purpose": "management", "active": True}
    api.rows["groups"].insert_many(
        [
            {"_id": "grp_1", **fields, "group_ids": {"fonnte": group}},
            {"_id": "grp_2", **fields, "group_ids": {"wablas": other}, "active": False},
            {"_id": "grp_3", **fields, "group_ids": {"wablas": other}, "purpose": "team"},
        ]
    )
    try:
        stored = await accepted(api, T.DAILY_SUMMARY, data=EXAMPLE_DATA[T.DAILY_SUMMARY])
    finally:
        api.rows["groups"].drop()
    assert told(stored) == {*RECIPIENTS[T.DAILY_SUMMARY], group}


async def test_when_nobody_of_the_roles_is_known_it_is_refused(api: Api) -> None:
    before = list(api.rows["staff"].find({"role": "admin"}))
    api.rows["staff"].delete_many({"role": "admin"})
    try:
        response = await submit(api, T.INCIDENT_REPORT, data=EXAMPLE_DATA[T.INCIDENT_REPORT])
    finally:
        api.rows["staff"].insert_many(before)
    assert assert_error(response, 422, "NO_RECIPIENT", field="to")["error"] == (
        "to: no active staff of the roles admin is known"
    )


async def test_a_broadcast_to_an_area_asks_the_directory_while_it_is_planned(api: Api) -> None:
    tell(
        api.rows,
        "customers",
        *({"id": f"C-bogor-{n}", "phone": f"62812000001{n:02}", "area": "Bogor", "status": "active"} for n in range(3)),
        {"id": "C-bogor-gone", "phone": "6281200000199", "area": "Bogor", "status": "inactive"},
    )
    stored = await accepted(api, T.MAINTENANCE, data={**EXAMPLE_DATA[T.MAINTENANCE], "area": "Bogor"})
    assert stored["audience_query"] == {"rows": "customers", "area": "Bogor"}
    assert (stored["recipients"], stored["audience"], stored["pages"]) == (3, [], 0)
    assert stored["answer"]["totalCustomers"] == 3
    assert "customer" not in stored["data"]


async def test_a_promotion_goes_to_every_active_customer_or_to_a_list(api: Api) -> None:
    data = EXAMPLE_DATA[T.PROMOTION]
    everybody = await accepted(api, T.PROMOTION, data=data)
    assert everybody["audience_query"] == {"rows": "customers"}
    assert everybody["recipients"] == api.rows["customers"].count_documents({"status": "active"})
    tell(api.rows, "customers", {"id": "C-mute", "name": "Tanpa nomor"})
    listed = await accepted(api, T.PROMOTION, data={**data, "targetCustomers": ["C-1001", "C-9", "C-1001", "C-mute"]})
    assert listed["audience_query"] == {"rows": "customers", "listed": True}
    assert (listed["recipients"], listed["pages"], listed["audience"]) == (1, 1, [])
    page = api.rows["audience_pages"].find_one({"_id": f"{listed['_id']}:0"})
    assert page is not None
    assert page["members"] == [{"to": "C-1001"}]
    assert [(one["index"], one["code"]) for one in listed["answer"]["rejected"]] == [
        (1, "NOT_FOUND"), (2, "DUPLICATE_RECIPIENT"), (3, "INVALID_PHONE"),
    ]  # fmt: skip
    assert "target_customers" not in listed["data"]


async def refused_soon(api: Api, kind: T) -> httpx.Response:
    """The first answer that is none of acceptance: what was changed is known everywhere within a second or two."""
    found: list[httpx.Response] = []

    async def refused() -> bool:
        found.append(await submit(api, kind, data=EXAMPLE_DATA[kind]))
        return found[-1].status_code != 202

    await until(refused, "it is still accepted", seconds=5)
    return found[-1]


async def test_a_route_that_is_switched_off_is_refused(api: Api) -> None:
    api.rows["routes"].replace_one({"_id": "learning_log"}, {"enabled": False, "revision": 1}, upsert=True)
    assert_error(await refused_soon(api, T.LEARNING_LOG), 409, "TYPE_DISABLED")


async def test_what_an_operator_changed_of_a_route_holds(api: Api) -> None:
    changed = {"priority": "low", "providers": ["wablas"], "dedupe_seconds": 600.0, "revision": 1}
    api.rows["routes"].replace_one({"_id": "payment_link"}, changed, upsert=True)
    stored = await accepted(api, T.PAYMENT_LINK, data=EXAMPLE_DATA[T.PAYMENT_LINK])
    assert (stored["priority"], stored["providers"], stored["dedupe_seconds"]) == ("low", ["wablas"], 600)


async def test_a_custom_one_may_use_a_stored_template(api: Api) -> None:
    api.rows["templates"].insert_one(
        {"_id": "ramadan:4", "type": "ramadan", "version": 4, "whatsapp": "Halo {{ name }}", "email_subject": None,
         "email_text": None, "origin": "person", "created_by": "tester"}
    )  # fmt: skip
    stored = await accepted(api, T.CUSTOM, to=CUSTOMER, template="ramadan", data={"name": "Sari"})
    assert (stored["template"], stored["data"], stored["message"]) == ("ramadan:4", {"name": "Sari"}, None)
    items = [{"to": CUSTOMER, "data": {"name": "Sari"}}, {"to": TECHNICIAN, "data": {}}]
    many = await accepted(api, T.CUSTOM, items=items, template="ramadan")
    assert [one["index"] for one in many["answer"]["rejected"]] == [1]
    lacking = await submit(api, T.CUSTOM, to=CUSTOMER, template="ramadan")
    assert_error(lacking, 422, "VALIDATION_ERROR", field="data")


async def test_what_cannot_be_rendered_is_refused_now(api: Api) -> None:
    api.rows["templates"].insert_one(
        {"_id": "incident_report:99", "type": "incident_report", "version": 99, "whatsapp": "{{ nowhere }}",
         "email_subject": None, "email_text": None, "origin": "person", "created_by": "tester"}
    )  # fmt: skip
    try:
        response = await refused_soon(api, T.INCIDENT_REPORT)
    finally:
        api.rows["templates"].delete_one({"_id": "incident_report:99"})
    assert_error(response, 422, "VALIDATION_ERROR", field="data")


@pytest.mark.parametrize("kind", list(DEFINITIONS))
async def test_a_type_is_open_to_its_senders_and_to_no_other(api: Api, kind: T) -> None:
    body: dict[str, Any] = {"data": EXAMPLE_DATA[kind]}
    if DEFINITIONS[kind].recipients is Recipients.GIVEN:
        body["to"] = CUSTOMER
    if kind is T.CUSTOM:
        body["message"] = "Halo {{ name }}"
    for role in ("admin", "manager", "supervisor", "noc", "cs", "technician"):
        response = await submit(
            api, role=role, notification_type=kind, **{k: v for k, v in body.items() if k != "type"}
        )
        if role in DEFINITIONS[kind].senders:
            assert response.status_code not in {401, 403}, (role, response.text)
        else:
            assert_error(response, 403, "FORBIDDEN")
