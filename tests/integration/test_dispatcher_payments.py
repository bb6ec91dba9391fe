"""Nobody is asked to pay what was paid or cancelled by the time it is sent, and the delivery says why."""

from datetime import UTC, datetime
from typing import Any

from common.contracts.documents import AudienceMember, NotificationDocument
from tests.support.dispatching.gateway import TOOK, Answer, Call
from tests.support.dispatching.notifications import member, notification, recipient
from tests.support.dispatching.world import World


def reminder(invoice_id: str, number: int = 1, kind: str = "payment_reminder", **changed: Any) -> NotificationDocument:
    invoice = {"payment_link": "https://pay.example.com/i/1", "amount": 150_000}
    data = {"invoice_id": invoice_id, "days_left": 3, "days_overdue": 3, "invoice": invoice}
    return notification([member(number)], type=kind, message=None, data=data, **changed)


async def invoices(world: World, **statuses: str) -> None:
    for identity, status in statuses.items():
        await world.mongo["invoices"].update_one({"_id": identity}, {"$set": {"status": status}}, upsert=True)


async def test_what_was_settled_while_it_waited_is_cancelled_and_the_rest_goes(dispatching: World) -> None:
    await invoices(dispatching, I1="unpaid", I2="unpaid", I3="unpaid", I4="unpaid", I6="paid")
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await dispatching.accept(
        reminder("I1", 1),
        reminder("I2", 2, "payment_overdue"),
        reminder("I3", 3, "payment_link"),
        reminder("I4", 4),
        reminder("I5", 5),  # nobody told of this invoice
        reminder("I6", 6, "payment_received"),
    )
    await dispatching.becomes(6, status="queued")
    await invoices(dispatching, I1="paid", I2="cancelled", I3="paid")
    gateway = await dispatching.gateway()
    await dispatching.dispatcher()
    found = {delivery["recipient"]: delivery for delivery in await dispatching.settled(6)}
    assert sorted(call.recipient for call in gateway.calls) == [recipient(4), recipient(5), recipient(6)]
    ended = [found[recipient(number)] for number in (1, 2, 3)]
    assert [(one["status"], one["code"], one["reason"]) for one in ended] == [
        ("cancelled", "INVOICE_PAID", "its invoice I1 is paid"),
        ("cancelled", "INVOICE_CANCELLED", "its invoice I2 is cancelled"),
        ("cancelled", "INVOICE_PAID", "its invoice I3 is paid"),
    ]
    for one in ended:
        assert one["timeline"][-1]["cause"] == one["reason"]
        assert (one["attempts"], one["attempts_made"], one["attempt"]) == ([], 0, None)
        assert not {"lane", "wake_at"} & one.keys()
    await dispatching.metric_reaches(3, "delivery_settled_total", status="cancelled")


async def test_each_item_of_a_list_is_of_its_own_invoice(dispatching: World) -> None:
    await invoices(dispatching, I1="paid", I2="unpaid")

    def item(number: int, invoice_id: str) -> AudienceMember:
        return member(number, data={"invoice_id": invoice_id, "days_left": 3})

    await dispatching.dispatcher()
    gateway = await dispatching.gateway()
    listed = [item(1, "I1"), item(2, "I2")]
    await dispatching.accept(notification(listed, type="payment_reminder", message=None))
    found = await dispatching.settled(2)
    assert [delivery["status"] for delivery in found] == ["cancelled", "sent"]
    assert [call.recipient for call in gateway.calls] == [recipient(2)]


async def test_paying_while_reminders_are_sent_stops_those_that_are_not_claimed_yet(dispatching: World) -> None:
    count, paid = 300, dict[str, datetime]()
    await dispatching.mongo["invoices"].insert_many([{"_id": f"I{n}", "status": "unpaid"} for n in range(count)])

    async def somebody_pays(call: Call) -> Answer:
        ahead = int(call.recipient[-3:]) + 100
        if ahead < 100 + count:
            await invoices(dispatching, **{f"I{ahead - 100}": "paid"})
            paid[recipient(ahead)] = datetime.now(UTC)
        return TOOK

    await dispatching.gateway("fonnte", somebody_pays)
    await dispatching.dispatcher()
    await dispatching.accept(*(reminder(f"I{n}", 100 + n) for n in range(count)))
    found = await dispatching.settled(count, seconds=60)
    for delivery in found:
        claimed = [entry["at"] for entry in delivery["timeline"] if entry["status"] == "sending"]
        if delivery["status"] == "sent" and delivery["recipient"] in paid:
            assert claimed[0] < paid[delivery["recipient"]]
        assert delivery["status"] in {"sent", "cancelled"}
    assert {delivery["code"] for delivery in found if delivery["status"] == "cancelled"} == {"INVOICE_PAID"}
