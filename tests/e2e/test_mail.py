"""Reminders arrive by WhatsApp and in the mailbox, and whoever has no address is told by the other."""

from tests.support.kabar import Kabar

SARI, BUDI = "6281200000001", "6281200000002"


async def tell(kabar: Kabar, kind: str, **row: object) -> None:
    answer = await kabar.http.put(f"/api/directory/{kind}/{row.pop('id')}", json=row)
    assert answer.status_code < 300, answer.text


async def remind(kabar: Kabar, invoice: str, **more: object) -> str:
    accepted = await kabar.accept(type="payment_reminder", data={"invoice_id": invoice, "days_left": 3}, **more)
    return str(accepted["notification_id"])


async def by_channel(kabar: Kabar, notification_id: str) -> dict[str, dict[str, object]]:
    return {one["channel"]: one for one in await kabar.deliveries(notification_id)}


async def test_a_reminder_arrives_by_whatsapp_and_in_the_mailbox(kabar: Kabar) -> None:
    await tell(
        kabar, "customers", id="C-mail-1", name="José Sari", phone=SARI, email="Sari@Example.com", status="active"
    )
    await tell(kabar, "invoices", id="INV-mail-1", customer_id="C-mail-1", number="INV/José/1", amount=250_000,
               due_date="2030-11-18", status="unpaid")  # fmt: skip
    notification = await remind(kabar, "INV-mail-1")
    assert await kabar.settled(notification, 2, seconds=30) == {"sent": 2}
    [mail] = await kabar.sandbox.mails("sari@example.com", at_least=1)
    assert mail["subject"] == "Tagihan INV/José/1 jatuh tempo dalam 3 hari"
    assert "Yth. Bapak/Ibu José Sari," in mail["text"]
    assert "Rp 250.000" in mail["html"]
    [message] = await kabar.sandbox.accepted("fonnte", recipient=SARI)
    assert "250.000" in message.text
    told = await by_channel(kabar, notification)
    assert {channel: one["recipient"] for channel, one in told.items()} == {
        "whatsapp": "6281******001", "email": "s***@example.com",
    }  # fmt: skip
    assert told["email"]["route"] == ["email"]
    assert mail["message_id"] == f"<{told['email']['id']}@example.com>"
    shown = await kabar.get(f"/api/notifications/{notification}")
    assert (shown["channels"], shown["recipients"], shown["sent"]) == (["whatsapp", "email"], 2, 2)
    found = await kabar.get(f"/api/deliveries?channel=email&type=payment_reminder&notification_id={notification}")
    assert [one["id"] for one in found["items"]] == [told["email"]["id"]]
    assert [one["id"] for one in (await kabar.get("/api/deliveries?q=SARI@example.com"))["items"]] == [
        told["email"]["id"]
    ]
    figures = await kabar.get("/api/whatsapp-notifications/stats")
    assert figures["by_channel"]["email"] >= 1
    assert figures["summary"]["via_email"] >= 1


async def test_whoever_has_no_e_mail_address_is_told_by_whatsapp_and_it_is_said_why(kabar: Kabar) -> None:
    await tell(kabar, "customers", id="C-mail-2", name="Budi", phone=BUDI, status="active")
    await tell(kabar, "invoices", id="INV-mail-2", customer_id="C-mail-2", amount=250_000, status="unpaid")
    notification = await remind(kabar, "INV-mail-2")
    assert await kabar.settled(notification, 2, seconds=30) == {"sent": 1, "suppressed": 1}
    told = await by_channel(kabar, notification)
    assert told["whatsapp"]["status"] == "sent"
    assert (told["email"]["code"], told["email"]["reason"]) == (
        "NO_ADDRESS", "customer C-mail-2 has no e-mail address",
    )  # fmt: skip
    assert (await kabar.get("/admin/conservation"))["difference"] == 0


async def test_an_address_in_the_request_goes_by_e_mail_and_a_refused_one_is_dead(kabar: Kabar) -> None:
    await tell(kabar, "customers", id="C-mail-3", name="Dewi", status="active", phone=BUDI)
    await tell(kabar, "invoices", id="INV-mail-3", customer_id="C-mail-3", amount=250_000, status="unpaid")
    notification = await remind(kabar, "INV-mail-3", to=["dewi@example.com", "smtp-550@example.com"])
    assert await kabar.settled(notification, 2, seconds=30) == {"sent": 1, "failed": 1}
    [failed] = [one for one in await kabar.deliveries(notification) if one["status"] == "failed"]
    assert failed["code"] == "INVALID_EMAIL"
    assert "550 5.1.1" in failed["reason"]
    assert len(await kabar.sandbox.mails("dewi@example.com")) == 1
