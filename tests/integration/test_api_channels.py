"""Who is told by which channel is decided on acceptance, and said where somebody cannot be."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from common.catalogue.examples import EXAMPLE_DATA
from common.contracts.vocabulary import NotificationType
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import Api, assert_error, ready, running_api, wait_until
from tests.support.directory_rows import tell, tell_examples
from tests.support.servers import new_database

REMINDER = NotificationType.PAYMENT_REMINDER
DATA = EXAMPLE_DATA[REMINDER]
SARI, SARIS_MAIL = "6281200000001", "sari@example.com"


@pytest.fixture(scope="module")
def api(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One with a mail server to send by."""
    url = new_database(mongodb)
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, url, log, MAIL_HOST="mail.example.com") as started:
        wait_until(lambda: ready(started), f"api-gateway is not ready; see {log}")
        tell_examples(started.rows)
        yield started


async def submit(api: Api, kind: str = REMINDER, **body: Any) -> httpx.Response:
    async with api.client() as client:
        return await client.post("/api/notifications", json={"type": kind, **body})


async def accepted(api: Api, kind: str = REMINDER, **body: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The answer, and the stored notification."""
    response = await submit(api, kind, **body)
    assert response.status_code == 202, response.text
    answer = response.json()
    stored = api.rows["notifications"].find_one({"_id": answer["notification_id"]})
    assert stored is not None
    return answer, stored


async def test_a_person_is_told_by_both_channels_of_the_route(api: Api) -> None:
    answer, stored = await accepted(api, data=DATA)
    assert stored["audience"] == [{"to": SARI}, {"to": SARIS_MAIL, "channel": "email"}]
    assert (stored["channels"], stored["recipients"], stored["people"]) == (["whatsapp", "email"], 2, 1)
    assert (answer["deliveries"], answer["rejected"]) == (2, [])
    async with api.client() as client:
        shown = (await client.get(f"/api/notifications/{answer['notification_id']}")).json()
    assert (shown["channels"], shown["recipients"]) == (["whatsapp", "email"], 2)


async def test_a_request_names_the_channels_itself(api: Api) -> None:
    answer, stored = await accepted(api, data=DATA, channels=["email"])
    assert stored["audience"] == [{"to": SARIS_MAIL, "channel": "email"}]
    assert (stored["channels"], answer["deliveries"], "people" in stored) == (["email"], 1, False)


async def test_recipients_of_a_request_go_by_what_they_are(api: Api) -> None:
    to = [SARI, "Dewi@Example.com", "dewi@example.com", "dewi@example"]
    answer, stored = await accepted(api, data=DATA, to=to)
    assert stored["audience"] == [{"to": SARI}, {"to": "dewi@example.com", "channel": "email"}]
    assert (answer["deliveries"], answer["totalSent"]) == (2, 2)
    assert [(one["index"], one["code"]) for one in answer["rejected"]] == [
        (2, "DUPLICATE_RECIPIENT"), (3, "INVALID_EMAIL"),
    ]  # fmt: skip
    assert answer["rejected"][0]["value"] == "d***@example.com"
    assert "dewi" not in str(answer["rejected"])


async def test_a_number_alone_is_not_looked_up(api: Api) -> None:
    _, stored = await accepted(api, data=DATA, to=SARI)
    assert stored["audience"] == [{"to": SARI}]
    assert stored["channels"] == ["whatsapp"]


async def test_items_go_by_what_they_are_too(api: Api) -> None:
    items = [{"to": SARI}, {"to": "dewi@example.com"}, {"to": "dewi@example.com", "data": {**DATA, "days_left": 1}}]
    answer, stored = await accepted(api, data=DATA, items=items)
    assert [one["to"] for one in stored["audience"]] == [SARI, "dewi@example.com", "dewi@example.com"]
    assert [one.get("channel") for one in stored["audience"]] == [None, "email", "email"]
    assert answer["deliveries"] == 3


async def test_who_lacks_one_address_is_told_by_the_other_and_who_lacks_both_is_refused(api: Api) -> None:
    tell(api.rows, "customers", {"id": "C-2", "name": "Budi", "phone": "6281200000002", "status": "active"},
         {"id": "C-3", "name": "Dewi", "email": "dewi@example.com", "status": "active"},
         {"id": "C-4", "name": "Eka", "status": "active"})  # fmt: skip
    for number in (2, 3, 4):
        tell(api.rows, "invoices", {"id": f"INV-{number}", "customer_id": f"C-{number}", "status": "unpaid"})
    _, stored = await accepted(api, data={"invoice_id": "INV-2", "days_left": 3})
    assert stored["audience"][1] == {
        "to": "customer:C-2", "channel": "email", "unreachable": "customer C-2 has no e-mail address",
    }  # fmt: skip
    _, stored = await accepted(api, data={"invoice_id": "INV-3", "days_left": 3})
    assert stored["audience"][0] == {"to": "customer:C-3", "unreachable": "customer C-3 has no phone number"}
    refused = await submit(api, data={"invoice_id": "INV-4", "days_left": 3})
    body = assert_error(refused, 422, "INVALID_PHONE", field="data.invoice_id")
    assert "has no phone number and has no e-mail address" in body["error"]
    refused = await submit(api, data={"invoice_id": "INV-2", "days_left": 3}, channels=["email"])
    assert_error(refused, 422, "INVALID_EMAIL", field="data.invoice_id")


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        ("welcome", {"data": {"customer_id": "C-1001"}, "channels": ["email"]}, 422, "VALIDATION_ERROR"),
        ("welcome", {"data": {"customer_id": "C-1001"}, "to": SARIS_MAIL}, 422, "NO_EMAIL_TEXT"),
        ("custom", {"message": "Halo", "to": SARIS_MAIL}, 422, "NO_EMAIL_TEXT"),
        (REMINDER, {"data": DATA, "to": SARI, "channels": ["email"]}, 422, "VALIDATION_ERROR"),
        (REMINDER, {"data": DATA, "to": "sari@example"}, 422, "INVALID_EMAIL"),
        (REMINDER, {"data": DATA, "channels": ["telegram"]}, 422, "VALIDATION_ERROR"),
        (REMINDER, {"data": DATA, "channels": []}, 422, "VALIDATION_ERROR"),
        (REMINDER, {"data": DATA, "channels": ["whatsapp", "email"], "direct": True}, 422, "VALIDATION_ERROR"),
    ],
)
async def test_what_cannot_go_is_refused(api: Api, kind: str, body: dict[str, Any], status: int, code: str) -> None:
    assert_error(await submit(api, kind, **body), status, code)


async def test_a_template_of_ones_own_with_an_e_mail_goes_by_e_mail(api: Api) -> None:
    async with api.client() as client:
        published = await client.post(
            "/api/templates/promo-akhir",
            json={"whatsapp": "Halo {{ name }}", "email_subject": "Promo {{ name }}", "email_text": "Yth. {{ name }}"},
        )
    assert published.status_code == 201, published.text
    _, stored = await accepted(api, "custom", template="promo-akhir", data={"name": "Sari"}, to=[SARI, SARIS_MAIL])
    assert stored["channels"] == ["whatsapp", "email"]


async def test_an_address_can_be_suppressed_and_is_masked(api: Api) -> None:
    async with api.client() as client:
        added = await client.post("/api/suppressions", json={"recipient": "Sari@Example.com", "reason": "opt_out"})
        assert (added.status_code, added.json()["recipient"]) == (201, "s***@example.com")
        assert (await client.get(f"/api/suppressions/{SARIS_MAIL}")).status_code == 200
        assert (await client.delete(f"/api/suppressions/{SARIS_MAIL}")).status_code == 200
    assert SARIS_MAIL not in api.log.read_text()


async def test_without_a_mail_server_only_what_can_go_by_whatsapp_is_accepted(
    rabbitmq: PrivateRabbitMQ, api: Api, tmp_path_factory: pytest.TempPathFactory
) -> None:
    log = tmp_path_factory.mktemp("without-mail") / "log"
    with running_api(rabbitmq.url, api.mongodb_url, log) as without:
        wait_until(lambda: ready(without), f"api-gateway is not ready; see {log}")
        assert_error(await submit(without, data=DATA, channels=["email"]), 409, "CHANNEL_OFF")
        assert_error(await submit(without, data=DATA, to=SARIS_MAIL), 422, "CHANNEL_OFF")
        _, stored = await accepted(without, data=DATA)
        assert stored["channels"] == ["whatsapp", "email"]
