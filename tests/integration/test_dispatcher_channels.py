"""People are told by each channel, once, and one channel never holds up the other."""

from collections import Counter
from functools import partial

from api_gateway.adapters.mongo_ledger import MongoLedger
from common.contracts.documents import NotificationDocument
from common.contracts.vocabulary import FailureClass
from tests.support.dispatching.directory import TEMPLATE, broadcast, customer, store_customers, store_template
from tests.support.dispatching.gateway import failed
from tests.support.dispatching.notifications import member, notification
from tests.support.dispatching.polling import until
from tests.support.dispatching.world import World

BOTH = ["whatsapp", "email"]
MAIL = {"MAIL_HOST": "mail.example.com", "KABAR_MAIL_QUEUE_DELAY": "0", "KABAR_MAIL_RATE_LIMIT_PER_MINUTE": "0",
        "KABAR_MAIL_RATE_LIMIT_PER_HOUR": "0", "KABAR_MAIL_RATE_LIMIT_PER_DAY": "0"}  # fmt: skip


async def promote(world: World, people: int) -> NotificationDocument:
    await store_template(world, "Halo {{ customer.name }}")
    await world.mongo["templates"].update_one(
        {"_id": TEMPLATE}, {"$set": {"email_subject": "{{ campaign_title }}", "email_text": "Yth. {{ customer.name }}"}}
    )
    made = broadcast(2 * people, channels=BOTH, people=people)
    await world.accept(made)
    return made


async def _over(world: World, made: NotificationDocument) -> bool:
    stored = await world.mongo["notifications"].find_one({"_id": made["_id"]})
    return stored is not None and "wake_at" not in stored


async def planned(world: World, made: NotificationDocument) -> None:
    await until(partial(_over, world, made), seconds=60)


async def outcomes(world: World) -> Counter[tuple[str, str, str | None]]:
    return Counter((one["channel"], one["status"], one["code"]) for one in await world.deliveries())


async def test_everybody_found_has_a_delivery_for_each_channel_and_it_adds_up(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false", **MAIL)
    rows = [customer(number, email=f"c{number}@example.com" if number % 3 else None) for number in range(1_500)]
    await store_customers(
        dispatching, [*rows, customer(9_998, phone=None), customer(9_999, phone=None, email="z@x.id")]
    )
    made = await promote(dispatching, 1_502)
    await planned(dispatching, made)
    assert await outcomes(dispatching) == {
        ("whatsapp", "queued", None): 1_500,
        ("email", "queued", None): 1_001,
        ("email", "suppressed", "NO_ADDRESS"): 500,
        ("whatsapp", "suppressed", "NO_ADDRESS"): 1,
        ("whatsapp", "failed", "INVALID_PHONE"): 1,
        ("email", "failed", "INVALID_EMAIL"): 1,
    }
    stored = await dispatching.mongo["notifications"].find_one({"_id": made["_id"]})
    assert stored is not None
    assert stored["recipients"] == 3_004
    assert (await MongoLedger(dispatching.mongo).conservation()).difference == 0
    mail = await dispatching.mongo["deliveries"].find_one({"recipient": "c1@example.com"})
    assert mail is not None
    assert (mail["subject_line"], mail["message"], mail["lane"]) == ("Promo", "Yth. Pelanggan 1", "email")


async def test_planned_again_nothing_is_new(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false", **MAIL)
    made = notification([member(1), {"to": "sari@example.com", "channel": "email"}], type="payment_reminder",
                        channels=BOTH, data={"invoice_id": "INV-1", "days_left": 3})  # fmt: skip
    await dispatching.accept(made)
    before = await dispatching.becomes(2)
    await dispatching.mongo["notifications"].update_one(
        {"_id": made["_id"]}, {"$set": {"status": "accepted", "wake_at": made["wake_at"]}}
    )
    await dispatching.announce(made)
    await planned(dispatching, made)
    after = await dispatching.deliveries()
    assert {one["_id"] for one in after} == {one["_id"] for one in before}
    assert {one["channel"] for one in after} == {"whatsapp", "email"}


async def test_without_a_mail_server_an_e_mail_ends_at_once_and_says_why(dispatching: World) -> None:
    await dispatching.dispatcher(WHATSAPP_ENABLED="false")
    await store_customers(dispatching, [customer(1, email="sari@example.com")])
    await planned(dispatching, await promote(dispatching, 1))
    assert await outcomes(dispatching) == {("whatsapp", "queued", None): 1, ("email", "suppressed", "CHANNEL_OFF"): 1}
    [mail] = await dispatching.deliveries(channel="email")
    assert mail["reason"] == "e-mail is switched off: MAIL_HOST is not set"


async def test_each_channel_goes_by_its_own_providers_and_an_outage_of_one_holds_up_no_other(
    dispatching: World,
) -> None:
    whatsapp = await dispatching.gateway("fonnte")
    await dispatching.dispatcher(**MAIL)
    await store_customers(dispatching, [customer(number, email=f"c{number}@example.com") for number in range(20)])
    await planned(dispatching, await promote(dispatching, 20))
    await dispatching.becomes(20, channel="whatsapp", status="sent")
    assert await dispatching.count(channel="email", status="queued") == 20
    mails = await dispatching.gateway("email")
    await dispatching.becomes(20, channel="email", status="sent")
    assert {call.recipient for call in mails.calls} == {f"c{number}@example.com" for number in range(20)}
    assert len(whatsapp.calls) == len(mails.calls) == 20


async def test_whatsapp_that_is_switched_off_does_not_stop_e_mail(dispatching: World) -> None:
    await dispatching.gateway("fonnte")
    await dispatching.gateway("email")
    await dispatching.dispatcher(WHATSAPP_ENABLED="false", **MAIL)
    await store_customers(dispatching, [customer(1, email="sari@example.com")])
    await planned(dispatching, await promote(dispatching, 1))
    await dispatching.becomes(1, channel="email", status="sent")
    assert await dispatching.count(channel="whatsapp", status="queued") == 1


async def test_an_address_nobody_has_is_dead_by_its_own_code(dispatching: World) -> None:
    async def refuses(_: object) -> object:
        return failed(FailureClass.RECIPIENT, "RCPT TO: 550 5.1.1 no such user")

    await dispatching.gateway("email", refuses)  # type: ignore[arg-type]  # it answers like any script
    await dispatching.dispatcher(**MAIL)
    made = notification([{"to": "sari@example.com", "channel": "email"}], type="payment_reminder", channels=["email"],
                        data={"invoice_id": "INV-1", "days_left": 3})  # fmt: skip
    await dispatching.accept(made)
    [mail] = await dispatching.becomes(1, status="failed")
    assert (mail["code"], len(mail["attempts"])) == ("INVALID_EMAIL", 1)


async def test_a_mail_server_is_paced_by_its_own_settings(dispatching: World) -> None:
    mails = await dispatching.gateway("email")
    await dispatching.dispatcher(**{**MAIL, "KABAR_MAIL_RATE_LIMIT_PER_MINUTE": "3"})
    await store_customers(
        dispatching, [customer(number, phone=None, email=f"c{number}@example.com") for number in range(5)]
    )
    await planned(dispatching, await promote(dispatching, 5))
    await dispatching.becomes(3, channel="email", status="sent")
    await dispatching.metric_reaches(1, "gate_wait_total", sender="email-1", cause="minute")
    assert len(mails.calls) == 3
    assert await dispatching.count(channel="email", status="queued") == 2
