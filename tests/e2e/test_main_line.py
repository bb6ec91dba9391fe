"""One notification on its whole way, as a portal and an operator see it."""

import statistics
import time
from itertools import pairwise

import pytest

from tests.support.kabar import Kabar, eventually

FONNTE_PROVIDER_FAILURES = [
    "token invalid",
    "invalid token",
    "devices must belong to an account",
    "unknown user",
    "insufficient quota",
    "request invalid on disconnected device",
    "invalid message request",
]


async def test_an_accepted_message_is_sent_and_tells_its_story(kabar: Kabar) -> None:
    started = time.monotonic()
    accepted = await kabar.accept(to=["6281200000011"], message="Halo dari Kabar")
    await kabar.settled(accepted["notification_id"], 1, seconds=15)
    assert time.monotonic() - started < 15
    delivery = await kabar.delivery(accepted["notification_id"])
    assert delivery["status"] == "sent"
    assert delivery["failover"] is False
    assert delivery["recipient"] == "6281******011"
    assert [attempt["outcome"] for attempt in delivery["attempts"]] == ["succeeded"]
    assert delivery["attempts"][0]["provider_message_id"]
    assert [entry["status"] for entry in delivery["timeline"]] == ["queued", "sending", "sent"]
    (message,) = await kabar.sandbox.accepted(recipient="6281200000011")
    assert message.text == "Halo dari Kabar"


async def test_pacing_holds_where_the_provider_sees_it_with_two_dispatchers(kabar: Kabar) -> None:
    messages = 200
    numbers = [f"62812000010{number:03}" for number in range(messages)]
    accepted = await kabar.accept(to=numbers, message="Pemeliharaan malam ini")
    await kabar.settled(accepted["notification_id"], messages, seconds=60)
    seen = await kabar.sandbox.calls(provider="fonnte")
    # How its device is may be asked at any time: only what is sent is paced.
    calls = sorted(call.received_at for call in seen if call.endpoint == "send")[-messages:]
    gaps = [after - before for before, after in pairwise(calls)]
    assert min(gaps) >= 0.200 - 0.005, f"closest calls {min(gaps):.4f} s apart"
    ideal = 0.2 * (messages - 1)
    assert calls[-1] - calls[0] < ideal * 1.01, f"{calls[-1] - calls[0]:.2f} s for an ideal of {ideal:.2f} s"


@pytest.mark.parametrize("reason", FONNTE_PROVIDER_FAILURES)
async def test_a_provider_side_failure_goes_to_the_next_provider_at_once(kabar: Kabar, reason: str) -> None:
    await kabar.sandbox.fail("fonnte", reason=reason, times=1)
    accepted = await kabar.accept(to=["6281200000012"], message=f"Uji {reason}")
    await kabar.settled(accepted["notification_id"], 1, seconds=10)
    delivery = await kabar.delivery(accepted["notification_id"])
    assert (delivery["status"], delivery["failover"]) == ("sent", True)
    assert [(a["provider"], a["outcome"]) for a in delivery["attempts"]] == [
        ("fonnte", "failed"),
        ("wablas", "succeeded"),
    ]
    assert reason.split(maxsplit=1)[0] in delivery["attempts"][0]["error"]


async def test_failing_over_takes_less_than_100_ms_of_our_own(kabar: Kabar) -> None:
    took = []
    for number in range(11):
        await kabar.sandbox.respond("fonnte", http_status=503, times=1)
        accepted = await kabar.accept(to=["6281200000013"], message=f"Uji failover {number}")
        await kabar.settled(accepted["notification_id"], 1, seconds=10)
        await kabar.resume_all()
        bad = [call for call in await kabar.sandbox.calls(provider="fonnte") if call.recipient == "6281200000013"][-1]
        good = [call for call in await kabar.sandbox.calls(provider="wablas") if call.recipient == "6281200000013"][-1]
        assert bad.answered_at is not None
        took.append(good.received_at - bad.answered_at)
    assert statistics.median(took) < 0.1, [f"{seconds * 1000:.0f} ms" for seconds in took]


async def test_both_failing_transiently_backs_off_and_ends_dead_with_both_errors(kabar: Kabar) -> None:
    for provider in ("fonnte", "wablas"):
        await kabar.sandbox.respond(provider, http_status=502, recipient="6281200000014")
    accepted = await kabar.accept(to=["6281200000014"], message="Uji gagal")
    await kabar.settled(accepted["notification_id"], 1, seconds=60)
    delivery = await kabar.delivery(accepted["notification_id"])
    assert (delivery["status"], delivery["code"]) == ("failed", "RETRY_FAILED")
    assert [a["provider"] for a in delivery["attempts"]] == ["fonnte", "wablas"] * 5
    assert all(a["outcome"] == "failed" and "502" in a["error"] for a in delivery["attempts"])
    calls = [c.received_at for c in await kabar.sandbox.calls(provider="fonnte") if c.recipient == "6281200000014"]
    waits = [after - before for before, after in pairwise(calls)]
    for wait, least in zip(waits, (2, 4, 8, 3), strict=True):
        assert least <= wait < least * 1.1 + 1.5, waits


async def test_a_silent_provider_is_unknown_then_resent_and_marked(kabar: Kabar) -> None:
    await kabar.sandbox.hang("fonnte", accepted=True, recipient="6281200000015")
    accepted = await kabar.accept(to=["6281200000015"], message="Uji diam")
    await kabar.settled(accepted["notification_id"], 1, seconds=30)
    delivery = await kabar.delivery(accepted["notification_id"])
    assert (delivery["status"], delivery["possible_duplicate"], delivery["failover"]) == ("sent", True, True)
    assert [(a["provider"], a["outcome"]) for a in delivery["attempts"]] == [
        ("fonnte", "unknown"),
        ("wablas", "succeeded"),
    ]


async def test_a_silent_provider_is_held_when_the_request_says_so(kabar: Kabar) -> None:
    await kabar.sandbox.hang("fonnte", accepted=True, recipient="6281200000016")
    accepted = await kabar.accept(to=["6281200000016"], message="Uji tahan", on_unknown="hold")
    await kabar.settled(accepted["notification_id"], 1, seconds=30)
    delivery = await kabar.delivery(accepted["notification_id"])
    assert delivery["status"] == "unknown"
    assert [a["outcome"] for a in delivery["attempts"]] == ["unknown"]
    assert not [c for c in await kabar.sandbox.calls(provider="wablas") if c.recipient == "6281200000016"]


async def test_an_otp_that_nobody_answers_is_resent_without_waiting_for_proof(kabar: Kabar) -> None:
    await kabar.sandbox.hang("fonnte", recipient="6281200000017")
    answer = await kabar.http.post(
        "/api/notifications", json={"type": "otp", "to": ["6281200000017"], "data": {"code": "123456"}}
    )
    assert answer.status_code == 202, answer.text
    identity = answer.json()["notification_id"]

    async def resent() -> bool:
        return (await kabar.progress(identity))["sent"] == 1

    await eventually(resent, seconds=8)
    delivery = await kabar.delivery(identity)
    assert delivery["possible_duplicate"] is True
    (message,) = await kabar.sandbox.accepted(recipient="6281200000017")
    assert "123456" in message.text
