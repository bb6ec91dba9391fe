"""What the providers tell reaches the delivery: sent, delivered, read; and what customers answer is heeded."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from local_stack.webhooks import tell_sandbox, webhook_addresses
from tests.support.kabar import Kabar, eventually


@pytest.fixture
async def told(kabar: Kabar) -> AsyncIterator[Kabar]:
    """Both providers post to us."""
    assert kabar.access.sandbox_url is not None
    tell_sandbox(kabar.access.sandbox_url, webhook_addresses(kabar.access, None))
    yield kabar
    for provider in ("fonnte", "wablas"):
        await kabar.sandbox.unsubscribe_webhooks(provider)


async def becomes(kabar: Kabar, notification_id: str, status: str) -> dict[str, Any]:
    async def so() -> dict[str, Any] | None:
        delivery = await kabar.delivery(notification_id)
        return delivery if delivery.get("status") == status else None

    return await eventually(so, seconds=20)


@pytest.mark.parametrize("provider", ["fonnte", "wablas"])
async def test_a_message_is_sent_delivered_and_read(told: Kabar, provider: str) -> None:
    accepted = await told.accept(to=["6281200000041"], message=f"Halo {provider}", providers=[provider])
    delivery = await becomes(told, accepted["notification_id"], "read")
    statuses = [entry["status"] for entry in delivery["timeline"]]
    assert statuses == sorted(statuses, key=["queued", "sending", "sent", "delivered", "read"].index)
    attempts = await told.sandbox.webhook_attempts(provider, at_least=3)
    assert {attempt["outcome"] for attempt in attempts} == {"delivered"}, "an auto_reply would reach a customer"


async def test_a_number_that_is_not_on_whatsapp_is_failed_with_the_reason(told: Kabar) -> None:
    addresses = webhook_addresses(told.access, None)
    outcomes = {"6281200000042": ["invalid"]}
    await told.sandbox.subscribe_webhooks("fonnte", addresses["fonnte"], outcomes=outcomes)
    accepted = await told.accept(to=["6281200000042"], message="Halo", providers=["fonnte"])
    delivery = await becomes(told, accepted["notification_id"], "failed")
    assert delivery["code"] == "INVALID_PHONE"


async def test_wablas_report_proves_what_nobody_knew(told: Kabar) -> None:
    await told.sandbox.unsubscribe_webhooks("wablas")
    await told.sandbox.drop_after_acceptance("wablas", times=1)
    accepted = await told.accept(to=["6281200000043"], message="Halo", providers=["wablas"], on_unknown="hold")
    delivery = await becomes(told, accepted["notification_id"], "sent")
    assert not delivery["possible_duplicate"]
    assert len(await told.sandbox.accepted(recipient="6281200000043")) == 1


async def test_who_answers_stop_gets_no_further_promotion(told: Kabar) -> None:
    person = "6281200000044"
    await told.sandbox.receive_message("fonnte", sender=person, text="Stop!")

    async def suppressed() -> bool:
        return told.database["suppressions"].count_documents({"_id": person}) == 1

    await eventually(suppressed, seconds=10)
    row = {"id": "C-STOP", "name": "Sari", "phone": person, "status": "active"}
    assert (await told.http.put("/api/directory/customers/C-STOP", json=row)).is_success
    promotion = await told.http.post(
        "/api/notifications",
        json={
            "type": "promotion",
            "data": {
                "campaign_title": "Promo",
                "offer": "Gratis satu bulan",
                "discount": "50%",
                "valid_until": "2030-01-01",
                "terms": ["Syarat berlaku"],
                "cta_text": "Daftar",
                "cta_link": "https://contoh.example/promo",
                "target_customers": ["C-STOP"],
            },
        },
    )
    assert promotion.status_code == 202, promotion.text
    delivery = await becomes(told, promotion.json()["notification_id"], "suppressed")
    assert "opted out" in delivery["reason"]
