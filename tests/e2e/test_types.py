"""Every notification type made to happen as portals and other services do it: who gets which text, and nobody else."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any

import aio_pika
import orjson
import pytest
import pytest_asyncio
from pydantic.alias_generators import to_camel

from common.catalogue.definitions import DEFINITIONS
from common.catalogue.examples import EXAMPLE_DATA, EXAMPLE_ROWS
from common.contracts.vocabulary import NotificationType
from common.kernel.email import mask_email
from common.kernel.phone import mask
from local_stack.webhooks import webhook_addresses
from tests.contract.golden import FOLDER
from tests.support.kabar import UNPACED, Kabar, eventually, running_kabar

T = NotificationType
Values = dict[str, Any]
EXCHANGE = "kabar.events"
TOGETHER = 10
MAILED_TOO = (T.PAYMENT_REMINDER, T.PAYMENT_OVERDUE)
MANAGEMENT, TEAM, OTHER = (f"12036300000000000{number}@g.us" for number in (1, 2, 3))
CUSTOMER, TECHNICIAN, TICKET, INVOICE, PACKAGE = (
    EXAMPLE_ROWS[name] for name in ("customer", "technician", "ticket", "invoice", "package")
)
NUMBERS = {
    "C-1001": "6281200000001",
    "TK-7": "6281200000002",
    "S-3": "6281200000003",
    "S-supervisor": "6281200000004",
    "S-admin": "6281200000005",
    "S-admin-2": "6281200000006",
    "S-gone": "6281200000007",
    "S-manager": "6281200000008",
    "S-noc": "6281200000009",
    "S-cs": "6281200000010",
    "TK-8": "6281200000011",
    "TK-gone": "6281200000012",
    "C-1002": "6281200000021",
    "C-1003": "6281200000022",
    "C-gone": "6281200000023",
    "C-Bogor": "6281200000024",
    "C-new": "6281200000025",
    "C-stops": "6281200000026",
    "C-rates": "6281200000027",
    "somebody": "6281200000030",
}
NAMES = {"C-1002": "Andi Pratama", "C-1003": "Rina Hartati", "C-Bogor": "Tono Wijaya", "C-new": "Maya Kusuma"}
ADMINS = ("S-admin", "S-admin-2")
SUPERVISORS = ("S-3", "S-supervisor")
STAFF = (*ADMINS, *SUPERVISORS, "S-manager", "S-noc", "S-cs")
TECHNICIANS = ("TK-7", "TK-8")
EVERYBODY = ("C-1001", "C-1002", "C-1003", "C-Bogor")
PRIORITIES = {
    "critical": {T.EMERGENCY_ALERT, T.OTP},
    "high": {
        T.TICKET_ASSIGNMENT, T.SLA_WARNING, T.PAYMENT_LINK, T.PAYMENT_RECEIVED,
        T.INCIDENT_REPORT, T.SYSTEM_ALERT, T.QUOTA_ALERT,
    },
    "low": {T.UPGRADE_OFFER, T.SATISFACTION_SURVEY, T.TECHNICIAN_PERFORMANCE, T.PROMOTION},
}  # fmt: skip


@dataclass(frozen=True)
class Fact:
    """What another service tells on the bus."""

    type: NotificationType
    routing_key: str
    row: Values
    to: tuple[str, ...]
    instead: Mapping[str, str] = field(default_factory=dict)
    """What the text says where the example says something else."""


@dataclass(frozen=True)
class Call:
    """What a portal asks for: the rest of the address, and the body."""

    type: NotificationType
    path: str
    body: Values
    to: tuple[str, ...]


@dataclass
class World:
    """Kabar with whom it was told of, and the bus beside it."""

    kabar: Kabar
    exchange: aio_pika.abc.AbstractExchange

    async def publish(self, routing_key: str, fact: Values, event_id: str) -> None:
        """As docs/bus.md asks for."""
        event = {"event_id": event_id, "occurred_at": datetime.now(UTC).isoformat(), "version": 1, **fact}
        message = aio_pika.Message(
            orjson.dumps(event), message_id=event_id, delivery_mode=aio_pika.DeliveryMode.PERSISTENT
        )
        await self.exchange.publish(message, routing_key, mandatory=True)

    async def post(self, path: str, body: Values, key: str | None = None) -> Values:
        headers = {} if key is None else {"Idempotency-Key": key}
        answer = await self.kabar.http.post(path, json=body, headers=headers)
        assert answer.is_success, answer.text
        answered: Values = answer.json()
        return answered

    async def messages(self, since: int, at_least: int = 0) -> list[tuple[str, str]]:
        """Recipients and texts at the WhatsApp providers, sorted; `at_least` counts mails, too."""
        taken = await self.kabar.sandbox.accepted(since=since, at_least=at_least)
        return sorted((message.recipient, message.text) for message in taken if message.provider != "email")

    async def deliveries(self, kind: NotificationType, since: datetime, expected: int, status: str) -> list[Values]:
        """The deliveries of a type accepted since then, once that many are in the status."""

        async def there() -> list[Values] | None:
            query = {"type": kind.value, "since": since.isoformat(timespec="milliseconds"), "limit": "200"}
            found: list[Values] = (await self.kabar.http.get("/api/deliveries", params=query)).json()["items"]
            return found if [one["status"] for one in found] == [status] * expected else None

        return await eventually(there, seconds=20)


@dataclass
class Happening:
    """What is looked at from the moment it was made."""

    world: World
    first: int
    since: datetime

    async def told(self, kind: NotificationType, texts: Mapping[str, str], mailed: Sequence[str] = ()) -> list[Values]:
        """Exactly these recipients got exactly these texts, and these addresses a mail; answers the deliveries, which
        say so too.
        """
        wanted = sorted(texts.items())
        await self.world.messages(self.first, at_least=len(wanted) + len(mailed))
        deliveries = await self.world.deliveries(kind, self.since, len(wanted) + len(mailed), "sent")
        assert await self.world.messages(self.first) == wanted
        masked = [*map(mask, texts), *map(mask_email, mailed)]
        assert sorted(one["recipient"] for one in deliveries) == sorted(masked)
        mails = {one["message_id"] for address in mailed for one in await self.world.kabar.sandbox.mails(address)}
        assert mails >= {f"<{one['id']}@example.com>" for one in deliveries if one["channel"] == "email"}
        assert {one["template"] for one in deliveries} == {f"{kind}:1"}
        assert {one["priority"] for one in deliveries} == {priority_of(kind)}
        return deliveries


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory = tmp_path_factory.mktemp("kabar-types")
    async with running_kabar(directory, UNPACED) as kabar, await aio_pika.connect(kabar.access.rabbitmq_url) as bus:
        channel = await bus.channel(publisher_confirms=True, on_return_raises=True)
        world = World(kabar, await channel.get_exchange(EXCHANGE, ensure=True))
        await retire_everybody(world)
        await tell_of_everybody(world)
        await send_at_any_time(world)
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def happening(world: World) -> Happening:
    return await looking(world)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def listening(world: World) -> World:
    """What people write reaches us; what became of messages is not told."""
    address = webhook_addresses(world.kabar.access, None)["fonnte"]
    await world.kabar.sandbox.subscribe_webhooks("fonnte", address, events=[])
    return world


async def looking(world: World) -> Happening:
    return Happening(world, len(await world.kabar.sandbox.accepted()), datetime.now(UTC))


async def retire_everybody(world: World) -> None:
    """Whoever the stack has brought along gets nothing."""
    for kind in ("customers", "technicians", "staff"):
        rows = (await world.kabar.get(f"/api/directory/{kind}"))["items"]
        if rows:
            await world.post(
                f"/api/directory/{kind}", {"items": [{"id": row["id"], "status": "inactive"} for row in rows]}
            )


async def tell_of_everybody(world: World) -> None:
    """Some over HTTP one by one, some in a list, some as CSV, some on the bus; all of them are there afterwards."""
    put = world.kabar.http.put
    for kind, row in (("customers", CUSTOMER), ("packages", PACKAGE), ("tickets", TICKET)):
        answer = await put(f"/api/directory/{kind}/{row['id']}", json=without(row, "id"))
        assert answer.is_success, answer.text
    customers = [
        customer("C-1002"),
        customer("C-1003"),
        customer("C-Bogor", area="Bogor"),
        *(customer(name, status="inactive") for name in ("C-gone", "C-stops", "C-rates")),
    ]
    assert (await world.post("/api/directory/customers", {"items": customers}))["new"] == len(customers)
    lines = "\n".join(f"{name};{role_of(name)};{NUMBERS[name]};active" for name in STAFF)
    csv = f"id;role;phone;status\n{lines}\nS-gone;admin;{NUMBERS['S-gone']};inactive\n"
    answer = await world.kabar.http.post("/api/directory/staff", content=csv, headers={"Content-Type": "text/csv"})
    assert answer.json().get("new") == len(STAFF) + 1, answer.text
    for purpose, group in (("management", MANAGEMENT), ("team", TEAM), ("other", OTHER)):
        await world.post("/api/whatsapp-groups", {"name": purpose, "purpose": purpose, "group_ids": {"fonnte": group}})
    await world.publish("technician.updated", TECHNICIAN, "evt-tk-7")
    for name, status in (("TK-8", "active"), ("TK-gone", "inactive")):
        row = {"id": name, "name": name, "phone": NUMBERS[name], "status": status}
        await world.publish("technician.updated", row, f"evt-{name}")
    await world.publish("invoice.issued", without(INVOICE, "paid_at", "payment_method"), "evt-inv")
    for path in ("technicians/TK-7", "technicians/TK-8", "technicians/TK-gone", f"invoices/{INVOICE['id']}"):
        await known(world, path)


async def known(world: World, path: str) -> None:
    async def there() -> bool:
        return (await world.kabar.http.get(f"/api/directory/{path}")).status_code == 200

    await eventually(there, seconds=20)


async def send_at_any_time(world: World) -> None:
    """At night, too."""
    for kind, definition in DEFINITIONS.items():
        if definition.route.hours is not None:
            answer = await world.kabar.http.patch(f"/api/routes/{kind}", json={"hours": None})
            assert answer.is_success, answer.text


def without(row: Mapping[str, Any], *names: str) -> Values:
    return {name: value for name, value in row.items() if name not in names}


def customer(identity: str, **fields: Any) -> Values:
    row = {"id": identity, "name": NAMES.get(identity, CUSTOMER["name"]), "phone": NUMBERS[identity], "area": "Depok"}
    return {**row, "status": "active", **fields}


def role_of(name: str) -> str:
    return "supervisor" if name in SUPERVISORS else name.split("-")[1]


def priority_of(kind: NotificationType) -> str:
    return next((priority for priority, kinds in PRIORITIES.items() if kind in kinds), "normal")


def golden(kind: NotificationType, instead: Mapping[str, str] | None = None) -> str:
    text = (FOLDER / f"{kind}.whatsapp.txt").read_text("utf-8").removesuffix("\n")
    for said, wanted in (instead or {}).items():
        text = text.replace(said, wanted)
    return text


def texts(kind: NotificationType, to: Iterable[str], instead: Mapping[str, str] | None = None) -> dict[str, str]:
    """Each recipient's number or group, and what it reads, under its own name."""
    example: str = CUSTOMER["name"]
    return {
        NUMBERS.get(name, name): golden(kind, {example: NAMES.get(name, example), **(instead or {})}) for name in to
    }


def portal(kind: NotificationType, path: str, *to: str, left_out: str = "", **fields: Any) -> Call:
    """A call of an address of its own: the example's data in camelCase, without what stands in the path."""
    data = {to_camel(name): value for name, value in EXAMPLE_DATA[kind].items() if name != left_out}
    return Call(kind, f"/api/whatsapp-notifications/{path}", {**data, **fields}, to)


def plain(kind: NotificationType, *to: str, **fields: Any) -> Call:
    return Call(kind, "/api/notifications", {"type": kind, "data": EXAMPLE_DATA[kind], **fields}, to)


FACTS = [
    Fact(
        T.REGISTRATION_CONFIRMATION, "customer.registered",
        {**without(CUSTOMER, "status", "email"), **without(customer("C-new"), "status", "area")}, ("C-new",),
        {"C-1001": "C-new"},
    ),
    Fact(
        T.ACCOUNT_ACTIVATED, "customer.activated", {**customer("C-1002"), "package_id": "P-50"}, ("C-1002",),
        {"C-1001": "C-1002"},
    ),
    Fact(T.TICKET_ASSIGNMENT, "ticket.assigned", TICKET, ("TK-7",)),
    Fact(T.TICKET_STATUS_UPDATE, "ticket.status_changed",
         {**TICKET, "note": EXAMPLE_DATA[T.TICKET_STATUS_UPDATE]["note"]}, ("C-1001",)),
    Fact(T.PAYMENT_LINK, "invoice.payment_link_created",
         {**without(INVOICE, "paid_at"), "id": "INV-link"}, ("C-1001",)),
    Fact(T.PAYMENT_RECEIVED, "invoice.paid", {**without(INVOICE, "status"), "id": "INV-paid"}, ("C-1001",)),
    *(
        Fact(kind, "notification.requested", {"type": kind, "data": EXAMPLE_DATA[kind]}, ADMINS)
        for kind in (T.INCIDENT_REPORT, T.WEEKLY_REFLECTION, T.LEARNING_LOG)
    ),
]  # fmt: skip
CALLS = [
    portal(T.EMERGENCY_ALERT, "emergency-alert", *STAFF, *TECHNICIANS, TEAM, MANAGEMENT),
    portal(T.MAINTENANCE, "maintenance", "C-1001", "C-1002", "C-1003"),
    portal(T.DAILY_SUMMARY, "daily-summary", *SUPERVISORS, "S-manager", MANAGEMENT),
    portal(T.WELCOME, "welcome/C-1001", "C-1001", left_out="customer_id"),
    portal(T.UPGRADE_OFFER, "upgrade-offer/C-1001", "C-1001", left_out="customer_id"),
    portal(T.SATISFACTION_SURVEY, f"survey/{TICKET['id']}", "C-1001", left_out="ticket_id"),
    portal(T.PROMOTION, "promotion-campaign", *EVERYBODY),
    portal(T.PROMOTION, "promotion-campaign", "C-1003", "C-Bogor", targetCustomers=["C-1003", "C-Bogor"]),
    portal(T.TECHNICIAN_PERFORMANCE, "technician-performance/TK-7", "TK-7", left_out="technician_id"),
    portal(T.INSTALLATION_SCHEDULE, "installation-schedule/C-1001", "C-1001", left_out="customer_id"),
    plain(T.SLA_WARNING, *SUPERVISORS),
    plain(T.PAYMENT_REMINDER, "C-1001"),
    plain(T.PAYMENT_OVERDUE, "C-1001"),
    plain(T.INCIDENT_REPORT, *ADMINS),
    plain(T.WEEKLY_REFLECTION, *ADMINS),
    plain(T.LEARNING_LOG, *ADMINS),
    plain(T.SYSTEM_ALERT, *ADMINS),
    plain(T.QUOTA_ALERT, *ADMINS),
    plain(T.OTP, "somebody", to=[NUMBERS["somebody"]]),
]


def test_every_type_is_made_to_happen() -> None:
    happened = {fact.type for fact in FACTS} | {call.type for call in CALLS}
    assert happened | {T.CUSTOM} == set(NotificationType)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.routing_key}-{fact.type}")
async def test_what_another_service_tells(happening: Happening, fact: Fact) -> None:
    await happening.world.publish(fact.routing_key, fact.row, f"evt-{fact.type}")
    await happening.told(fact.type, texts(fact.type, fact.to, fact.instead))


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.path.removeprefix("/api/") + f"-{call.type}")
async def test_what_a_portal_asks_for(happening: Happening, call: Call) -> None:
    accepted = await happening.world.post(call.path, call.body)
    mailed = [CUSTOMER["email"]] if call.type in MAILED_TOO else []
    assert accepted["deliveries"] == len(call.to) + len(mailed)
    assert accepted["rejected"] == []
    deliveries = await happening.told(call.type, texts(call.type, call.to), mailed)
    assert {one["notification_id"] for one in deliveries} == {accepted["notification_id"]}


@pytest.mark.parametrize(
    ("kind", "path", "to", "begins"),
    [
        (T.DAILY_SUMMARY, "daily-summary", (*SUPERVISORS, "S-manager", MANAGEMENT), "*Ringkasan harian*"),
        (T.TECHNICIAN_PERFORMANCE, "technician-performance/TK-7", ("TK-7",), f"Halo {TECHNICIAN['name']},"),
    ],
)
async def test_figures_are_worked_out_when_none_are_given(
    happening: Happening, kind: NotificationType, path: str, to: tuple[str, ...], begins: str
) -> None:
    await happening.world.post(f"/api/whatsapp-notifications/{path}", {})
    await happening.world.deliveries(kind, happening.since, len(to), "sent")
    messages = await happening.world.messages(happening.first)
    assert [recipient for recipient, _ in messages] == sorted(NUMBERS.get(name, name) for name in to)
    assert all(text.startswith(begins) and "Tiket selesai: 0" in text for _, text in messages), messages


async def test_a_free_text_and_a_stored_one(happening: Happening) -> None:
    world, somebody = happening.world, NUMBERS["somebody"]
    await world.kabar.accept(to=somebody, message="Halo {{ name }}, {{ amount }}", data=EXAMPLE_DATA[T.CUSTOM])
    await world.post("/api/templates/tagihan", {"whatsapp": "Tagihan {{ name }}: {{ amount }}"})
    await world.kabar.accept(to=somebody, template="tagihan", data=EXAMPLE_DATA[T.CUSTOM])
    deliveries = await world.deliveries(T.CUSTOM, happening.since, 2, "sent")
    assert {one["template"] for one in deliveries} == {None, "tagihan:1"}
    wanted = [(somebody, "Halo Sari, Rp 250.000"), (somebody, "Tagihan Sari: Rp 250.000")]
    assert await world.messages(happening.first) == wanted


async def test_a_fact_told_ten_times_at_once_is_one_message(happening: Happening) -> None:
    row = {**INVOICE, "id": "INV-repeated"}
    await asyncio.gather(*(happening.world.publish("invoice.paid", row, "evt-repeated") for _ in range(TOGETHER)))
    await happening.told(T.PAYMENT_RECEIVED, texts(T.PAYMENT_RECEIVED, ["C-1001"]))


async def test_a_request_on_the_bus_ten_times_at_once_is_one_message_each(happening: Happening) -> None:
    asked = {"type": T.SYSTEM_ALERT, "data": EXAMPLE_DATA[T.SYSTEM_ALERT]}
    repeated = (happening.world.publish("notification.requested", asked, "evt-asked") for _ in range(TOGETHER))
    await asyncio.gather(*repeated)
    await happening.told(T.SYSTEM_ALERT, texts(T.SYSTEM_ALERT, ADMINS))


async def test_a_post_repeated_ten_times_at_once_is_one_message(happening: Happening) -> None:
    http, key = happening.world.kabar.http, {"Idempotency-Key": "welcome-once"}
    path = "/api/whatsapp-notifications/welcome/C-1001"
    answers = await asyncio.gather(*(http.post(path, json={}, headers=key) for _ in range(TOGETHER)))
    assert {answer.status_code for answer in answers} <= {202, 409}, [answer.text for answer in answers]
    identities = {answer.json()["notification_id"] for answer in answers if answer.status_code == 202}
    assert len(identities) == 1
    again = await happening.world.post(path, {}, key="welcome-once")
    assert {again["notification_id"]} == identities
    await happening.told(T.WELCOME, texts(T.WELCOME, ["C-1001"]))


async def test_who_answers_stop_gets_no_promotion_until_he_answers_start(listening: World) -> None:
    person, inbox = NUMBERS["C-stops"], count(1)
    sandbox, promoted = listening.kabar.sandbox, portal(T.PROMOTION, "promotion-campaign", targetCustomers=["C-stops"])
    assert (await listening.kabar.http.put("/api/directory/customers/C-stops", json={"status": "active"})).is_success

    async def suppressed(*, now: bool) -> None:
        async def so() -> bool:
            items = (await listening.kabar.get("/api/suppressions"))["items"]
            return (mask(person) in {one["recipient"] for one in items}) is now

        await eventually(so, seconds=10)

    await sandbox.receive_message("fonnte", sender=person, text="Stop", inbox_id=next(inbox))
    stopped = int(time.time())
    await suppressed(now=True)
    stop = await looking(listening)
    await listening.post(promoted.path, promoted.body)
    (delivery,) = await listening.deliveries(T.PROMOTION, stop.since, 1, "suppressed")
    assert "opted out" in delivery["reason"]
    welcome = await looking(listening)
    await listening.post("/api/whatsapp-notifications/welcome/C-1003", {})
    await welcome.told(
        T.WELCOME, texts(T.WELCOME, ["C-1003"], {"C-1001": "C-1003", "\nPaket: Keluarga 50 (50 Mbps)": ""})
    )

    async def later() -> bool:  # the provider's times are whole seconds
        return int(time.time()) > stopped

    await eventually(later, seconds=2)
    await sandbox.receive_message("fonnte", sender=person, text="START", inbox_id=next(inbox))
    await suppressed(now=False)
    start = await looking(listening)
    await listening.post(promoted.path, promoted.body)
    await start.told(T.PROMOTION, texts(T.PROMOTION, ["C-stops"]))


async def test_the_answer_to_a_survey_is_the_tickets_rating(listening: World) -> None:
    row = {"customer_id": "C-rates", "title": TICKET["title"], "technician_id": "TK-7", "status": "resolved"}
    assert (await listening.kabar.http.put("/api/directory/tickets/T-rated", json=row)).is_success
    asked = await looking(listening)
    await listening.post("/api/whatsapp-notifications/survey/T-rated", {})
    await asked.told(T.SATISFACTION_SURVEY, texts(T.SATISFACTION_SURVEY, ["C-rates"], {TICKET["id"]: "T-rated"}))
    await listening.kabar.sandbox.receive_message("fonnte", sender=NUMBERS["C-rates"], text="5", inbox_id=100)

    async def rated() -> bool:
        return bool((await listening.kabar.get("/api/directory/tickets/T-rated"))["rating"] == 5)

    await eventually(rated, seconds=10)


async def test_nothing_was_sent_that_no_delivery_accounts_for(world: World) -> None:
    stored = [one for one in await world.kabar.stored() if one["status"] == "sent"]
    taken = await world.kabar.sandbox.accepted()
    assert Counter((one["recipient"], one["message"]) for one in stored) == Counter(
        (message.recipient, message.text.replace("\r\n", "\n").rstrip("\n")) for message in taken
    )
    notifications = world.kabar.database["notifications"].count_documents({})
    assert notifications == len({one["notification_id"] for one in await world.kabar.stored()})
    assert (await world.kabar.get("/api/parked-envelopes"))["items"] == []
