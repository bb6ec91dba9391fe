from typing import TYPE_CHECKING, Any

import pytest

from sandbox.control_client import ControlRefusedError
from tests.contract.sandbox.subscriber import Subscriber, listening_subscriber

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sandbox.control_client import SandboxControl
    from tests.contract.sandbox.clients import FonnteClient, WablasClient


@pytest.fixture
async def subscriber() -> "AsyncIterator[Subscriber]":
    async with listening_subscriber() as listening:
        yield listening


async def test_fonnte_names_later_states_by_stateid_alone(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url)
    [message_id] = (await fonnte.send())["id"]
    await sandbox.webhook_attempts("fonnte", at_least=3)

    sent, delivered, read = subscriber.bodies
    state_id = sent["stateid"]
    assert (sent["id"], sent["status"], sent["state"]) == (str(message_id), "sent", "sent")
    assert delivered == {"device": "6281200000901", "stateid": state_id, "state": "delivered"}
    assert read == {"device": "6281200000901", "stateid": state_id, "state": "read"}


async def test_fonnte_by_id_alone_as_a_form(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, numbering="id_only", encoding="form", events=["sent"])
    [message_id] = (await fonnte.send())["id"]
    await sandbox.webhook_attempts("fonnte", at_least=1)

    assert subscriber.bodies == [{"device": "6281200000901", "id": str(message_id), "status": "sent"}]


@pytest.mark.parametrize("word", ["invalid", "failed", "url unreachable"])
async def test_fonnte_final_failures(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber, word: str
) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, outcomes={"6281200000001": [word]})
    await fonnte.send("6281200000001")
    await sandbox.webhook_attempts("fonnte", at_least=1)

    assert [body["status"] for body in subscriber.bodies] == [word]


async def test_fonnte_tells_of_expired_messages_and_of_the_device(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url)
    await sandbox.disconnect("fonnte", device="fonnte-1")
    await sandbox.webhook_attempts("fonnte", at_least=1)
    await fonnte.send(connectOnly="false")
    await sandbox.advance_clock(86_401)
    await sandbox.webhook_attempts("fonnte", at_least=2)

    assert [body["status"] for body in subscriber.bodies] == ["disconnect", "expired"]


async def test_fonnte_tries_again_every_minute_until_it_gets_200(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    subscriber.statuses = [500, 202]
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, events=["sent"])
    await fonnte.send()
    await sandbox.webhook_attempts("fonnte", at_least=1)
    assert len(subscriber.bodies) == 1
    await sandbox.run_clock_at(6000)

    attempts = await sandbox.webhook_attempts("fonnte", at_least=3)

    assert [attempt["outcome"] for attempt in attempts] == ["retrying", "retrying", "delivered"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3]


async def test_fonnte_gives_up_after_15_retries(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    subscriber.statuses = [503] * 100
    await sandbox.run_clock_at(100_000)
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, events=["sent"])
    await fonnte.send()

    attempts = await sandbox.webhook_attempts("fonnte", at_least=16)

    assert len(attempts) == 16
    assert attempts[-1]["outcome"] == "given_up"


async def test_fonnte_of_old_tried_three_times_at_once(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    subscriber.statuses = [500] * 100
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, events=["sent"], retries=3, retry_seconds=0)
    await fonnte.send()

    assert [a["outcome"] for a in await sandbox.webhook_attempts("fonnte", at_least=4)][-1] == "given_up"


@pytest.mark.parametrize(
    ("manners", "words"),
    [
        ({"copies": 2, "events": ["sent", "read"]}, ["sent", "sent", "read", "read"]),
        ({"reverse": True}, ["read", "delivered", "sent"]),
        ({"events": ["delivered"]}, ["delivered"]),
    ],
)
async def test_disorder(
    wablas: "WablasClient",
    sandbox: "SandboxControl",
    subscriber: Subscriber,
    manners: dict[str, Any],
    words: list[str],
) -> None:
    await sandbox.subscribe_webhooks("wablas", subscriber.url, **manners)
    await wablas.send()
    await sandbox.webhook_attempts("wablas", at_least=len(words))

    assert [body["status"] for body in subscriber.bodies] == words


async def test_lost_events_never_arrive(
    wablas: "WablasClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    await sandbox.subscribe_webhooks("wablas", subscriber.url, lost_share=1)
    await wablas.send()
    await sandbox.subscribe_webhooks("wablas", subscriber.url, events=["read"])
    await wablas.send()
    await sandbox.webhook_attempts("wablas", at_least=1)

    assert [body["status"] for body in subscriber.bodies] == ["read"]


async def test_late_events_follow_the_clock(
    wablas: "WablasClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    await sandbox.subscribe_webhooks("wablas", subscriber.url, late_seconds=3600, events=["sent"])
    await wablas.send()
    assert await sandbox.webhook_attempts("wablas") == []
    await sandbox.advance_clock(3600)

    assert len(await sandbox.webhook_attempts("wablas", at_least=1)) == 1


async def test_events_may_come_before_the_answer(
    fonnte: "FonnteClient", sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, before_answer=True)
    await fonnte.send()

    [attempt, *_] = await sandbox.webhook_attempts("fonnte")
    [message] = await sandbox.accepted()
    assert len(subscriber.bodies) == 3
    assert message.answered_at is not None
    assert attempt["at"] < message.answered_at


async def test_unknown_ids_wrong_secrets_and_extra_words(sandbox: "SandboxControl", subscriber: Subscriber) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url, extra_fields={"secret": "wrong"})
    await sandbox.report_status("fonnte", message_id="1", word="sent")
    await sandbox.webhook_attempts("fonnte", at_least=1)

    assert subscriber.bodies[0]["id"] == "1"
    assert subscriber.bodies[0]["secret"] == "wrong"


@pytest.mark.parametrize("word", ["pending", "sent", "delivered", "received", "read", "cancel", "reject", "rejected"])
async def test_wablas_knows_every_tracking_word_with_a_note(
    wablas: "WablasClient", sandbox: "SandboxControl", subscriber: Subscriber, word: str
) -> None:
    await sandbox.subscribe_webhooks("wablas", subscriber.url, events=[word], notes={word: "rate-overlimit"})
    [item] = (await wablas.send()).json()["data"]["messages"]
    await sandbox.webhook_attempts("wablas", at_least=1)

    assert subscriber.bodies == [
        {
            "id": item["id"],
            "phone": "6281200000001",
            "status": word,
            "note": "rate-overlimit",
            "sender": "6281200000801",
            "deviceId": "WABLAS1",
        }
    ]


async def test_wablas_sends_a_non_empty_answer_to_the_customer(
    sandbox: "SandboxControl", subscriber: Subscriber
) -> None:
    subscriber.answer_body = b'{"success":true}'
    await sandbox.subscribe_webhooks("wablas", subscriber.url)
    await sandbox.receive_message("wablas", sender="6281200000001", text="STOP")

    [attempt] = await sandbox.webhook_attempts("wablas", at_least=1)
    assert attempt["outcome"] == "auto_reply"


async def test_wablas_does_not_try_again(sandbox: "SandboxControl", subscriber: Subscriber) -> None:
    subscriber.statuses = [500]
    await sandbox.subscribe_webhooks("wablas", subscriber.url)
    await sandbox.receive_message("wablas", sender="6281200000001")

    [attempt] = await sandbox.webhook_attempts("wablas", at_least=1)
    assert attempt["outcome"] == "given_up"


async def test_incoming_messages_of_fonnte(sandbox: "SandboxControl", subscriber: Subscriber) -> None:
    await sandbox.subscribe_webhooks("fonnte", subscriber.url)
    for number, kind in enumerate(("personal", "group", "non_text", "echo"), start=1):
        await sandbox.receive_message("fonnte", sender="6281200000001", text="BERHENTI", kind=kind, inbox_id=7)
        await sandbox.webhook_attempts("fonnte", at_least=number)

    personal, group, non_text, echo = subscriber.bodies
    assert (personal["sender"], personal["message"], personal["inboxid"]) == ("6281200000001", "BERHENTI", 7)
    assert (group["sender"], group["member"]) == ("120363000000000001@g.us", "6281200000001")
    assert non_text["message"] == "non-text message"
    assert echo["sender"] == echo["device"]


async def test_incoming_messages_of_wablas(sandbox: "SandboxControl", subscriber: Subscriber) -> None:
    await sandbox.subscribe_webhooks("wablas", subscriber.url)
    for number, kind in enumerate(("personal", "group", "non_text", "echo"), start=1):
        await sandbox.receive_message("wablas", sender="6281200000001", text="STOP", kind=kind)
        await sandbox.webhook_attempts("wablas", at_least=number)

    personal, group, non_text, echo = subscriber.bodies
    assert (personal["phone"], personal["sender"]) == ("6281200000001", "6281200000801")
    assert (group["isGroup"], group["phone"]) == (True, "120363000000000001")
    assert non_text["message"] == "File"
    assert echo["isFromMe"] is True


async def test_wablas_tells_of_the_device(sandbox: "SandboxControl", subscriber: Subscriber) -> None:
    await sandbox.subscribe_webhooks("wablas", subscriber.url)
    await sandbox.disconnect("wablas", device="wablas-1")
    await sandbox.webhook_attempts("wablas", at_least=1)
    await sandbox.reconnect("wablas", device="wablas-1")
    await sandbox.webhook_attempts("wablas", at_least=2)

    assert [body["note"] for body in subscriber.bodies] == ["not connected, scan QR", "ready to use"]


async def test_nothing_is_said_without_a_subscription(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await fonnte.send()

    assert await sandbox.webhook_attempts("fonnte") == []
    with pytest.raises(ControlRefusedError, match="no webhook is configured"):
        await sandbox.receive_message("fonnte", sender="6281200000001")
