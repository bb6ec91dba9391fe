import asyncio
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from sandbox.control_client import ControlRefusedError
from sandbox.fonnte.dialect import REASONS as FONNTE_REASONS
from sandbox.wablas.dialect import REASONS as WABLAS_REASONS

if TYPE_CHECKING:
    from sandbox.control_client import SandboxControl
    from tests.contract.sandbox.clients import FonnteClient, WablasClient

PROVIDERS = ("fonnte", "wablas")


async def send(provider: str, fonnte: "FonnteClient", wablas: "WablasClient", **options: Any) -> httpx.Response:
    if provider == "fonnte":
        return await fonnte.post("/send", {"target": "6281200000001", "message": "Halo"}, **options)
    return await wablas.send(**options)


@pytest.mark.parametrize("reason", FONNTE_REASONS)
async def test_every_reason_of_fonnte(fonnte: "FonnteClient", sandbox: "SandboxControl", reason: str) -> None:
    await sandbox.fail("fonnte", reason=reason, times=1)

    refused = await fonnte.send()

    assert (refused["status"], refused["reason"]) == (False, reason)
    assert (await fonnte.send())["status"] is True
    assert len(await sandbox.accepted()) == 1


@pytest.mark.parametrize("reason", [reason for reason in WABLAS_REASONS if reason != "format phone invalid"])
async def test_every_message_of_wablas(wablas: "WablasClient", sandbox: "SandboxControl", reason: str) -> None:
    await sandbox.fail("wablas", reason=reason, times=1)
    await sandbox.fail("wablas", reason=reason, http_status=200, times=1)

    refused, refused_with_200 = await wablas.send(), await wablas.send()

    assert refused.status_code == WABLAS_REASONS[reason][0]
    assert refused_with_200.status_code == 200
    assert refused.json() == refused_with_200.json() == {"status": False, "message": reason}
    assert await sandbox.accepted() == []


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("accepted", [True, False])
async def test_hanging_with_and_without_acceptance(
    fonnte: "FonnteClient",
    wablas: "WablasClient",
    sandbox: "SandboxControl",
    provider: str,
    accepted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    await sandbox.hang(provider, accepted=accepted, times=1)

    with pytest.raises(httpx.ReadTimeout):
        await send(provider, fonnte, wablas, timeout=0.05)

    [call] = await sandbox.calls(provider)
    assert (call.fault, call.accepted, call.http_status, call.answered_at) == ("hang", int(accepted), None, None)
    assert [message.answered_at for message in await sandbox.accepted(provider)] == [None] * accepted


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("accepted", [True, False])
async def test_resetting_before_and_after_acceptance(
    fonnte: "FonnteClient",
    wablas: "WablasClient",
    sandbox: "SandboxControl",
    provider: str,
    accepted: bool,  # noqa: FBT001  # a column of the table
) -> None:
    await sandbox.reset_connection(provider, accepted=accepted, times=1)

    with pytest.raises(httpx.ReadError) as caught:
        await send(provider, fonnte, wablas)

    assert isinstance(_root(caught.value), ConnectionResetError)
    assert len(await sandbox.accepted(provider)) == int(accepted)


def _root(error: BaseException) -> BaseException:
    inner = error.__cause__ or error.__context__
    return error if inner is None else _root(inner)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_dropping_the_connection(
    fonnte: "FonnteClient", wablas: "WablasClient", sandbox: "SandboxControl", provider: str
) -> None:
    await sandbox.drop_after_acceptance(provider, times=1)
    await sandbox.drop_before_acceptance(provider, times=1)
    await sandbox.cut_off(provider, times=1)

    for _ in range(3):
        with pytest.raises(httpx.RemoteProtocolError):
            await send(provider, fonnte, wablas)

    assert [call.accepted for call in await sandbox.calls(provider)] == [1, 0, 1]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_truncated_json(
    fonnte: "FonnteClient", wablas: "WablasClient", sandbox: "SandboxControl", provider: str
) -> None:
    await sandbox.truncate(provider, times=1)

    response = await send(provider, fonnte, wablas)

    assert response.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        response.json()
    assert len(await sandbox.accepted(provider)) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("accepted", [True, False])
@pytest.mark.parametrize(
    ("http_status", "page", "content_type"),
    [
        (200, "html", "text/html; charset=UTF-8"),
        (200, "empty", "text/html; charset=UTF-8"),
        (404, "html", "text/html; charset=UTF-8"),
        (500, "html", "text/html; charset=UTF-8"),
        (500, "json", "application/json"),
        (502, "html", "text/html; charset=UTF-8"),
        (503, "json", "application/json"),
        (504, "html", "text/html; charset=UTF-8"),
    ],
)
async def test_pages_in_place_of_answers(  # noqa: PLR0917  # columns of the table
    fonnte: "FonnteClient",
    wablas: "WablasClient",
    sandbox: "SandboxControl",
    provider: str,
    accepted: bool,  # noqa: FBT001  # a column of the table
    http_status: int,
    page: str,
    content_type: str,
) -> None:
    await sandbox.respond(provider, http_status=http_status, page=page, accepted=accepted)

    response = await send(provider, fonnte, wablas)

    assert (response.status_code, response.headers["content-type"]) == (http_status, content_type)
    assert (response.content == b"") is (page == "empty")
    assert len(await sandbox.accepted(provider)) == int(accepted)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_late_answer_is_accepted_at_once(
    fonnte: "FonnteClient", wablas: "WablasClient", sandbox: "SandboxControl", provider: str
) -> None:
    await sandbox.answer_late(provider, seconds=0.2, times=1)

    sending = asyncio.create_task(send(provider, fonnte, wablas))
    [message] = await sandbox.accepted(provider, at_least=1)
    assert message.answered_at is None
    await sending

    [call] = await sandbox.calls(provider)
    assert call.answered_at is not None
    assert call.answered_at - call.received_at >= 0.2


async def test_faults_are_narrowed(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.fail("fonnte", reason="target invalid", recipient="6281200000002", times=1)
    await sandbox.fail("fonnte", reason="insufficient quota", device="fonnte-2", times=1)
    await sandbox.fail("fonnte", reason="token invalid", endpoint="device", times=1)

    assert (await fonnte.send("6281200000001"))["status"] is True
    assert (await fonnte.send("081200000002"))["reason"] == "target invalid"
    assert (await fonnte.send(token="sandbox-fonnte-token-2"))["reason"] == "insufficient quota"
    assert (await fonnte.post("/device")).json()["reason"] == "token invalid"


async def test_a_share_with_a_seed_hits_the_same_calls_again(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    async def hits() -> list[bool]:
        fault = await sandbox.fail("fonnte", reason="input invalid", share=0.3, seed=7)
        answers = [await fonnte.send() for _ in range(60)]
        await sandbox.disarm(fault)
        return [answer["status"] for answer in answers]

    first, second = await hits(), await hits()

    assert first == second
    assert 5 < first.count(False) < 35


async def test_skip_and_times_count_calls(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.fail("fonnte", reason="input invalid", skip=2, times=2)

    assert [(await fonnte.send())["status"] for _ in range(6)] == [True, True, False, False, True, True]


async def test_disarming(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.fail("fonnte", reason="input invalid")
    await sandbox.fail("wablas", reason="param invalid")
    await sandbox.disarm(provider="fonnte")

    assert (await fonnte.send())["status"] is True
    with pytest.raises(ControlRefusedError, match="no fault 99"):
        await sandbox.disarm(99)


@pytest.mark.parametrize(
    ("kind", "fault", "problem"),
    [
        ("explode", {}, "kind: Input should be 'refuse'"),
        ("refuse", {}, "refuse needs a reason"),
        ("late", {}, "late needs delay_seconds"),
        ("hang", {"colour": "red"}, "colour: Extra inputs are not permitted"),
        ("hang", {"share": 2}, "share: Input should be less than or equal to 1"),
    ],
)
async def test_control_errors_say_what_would_be_right(
    sandbox: "SandboxControl", kind: str, fault: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ControlRefusedError, match=problem):
        await sandbox._arm(kind, "fonnte", **fault)


@pytest.mark.parametrize(
    ("digits", "reason"),
    [
        ("51", "target invalid"),
        ("52", "request invalid on disconnected device"),
        ("53", "invalid token"),
        ("54", "insufficient quota"),
    ],
)
async def test_example_numbers_that_always_fail(fonnte: "FonnteClient", digits: str, reason: str) -> None:
    assert (await fonnte.send(f"62813000000{digits}"))["status"] is True
    assert (await fonnte.send(f"62812000000{digits}"))["reason"] == reason


async def test_example_numbers_up_to_49_are_healthy(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    for number in range(1, 50):
        assert (await fonnte.send(f"62812000000{number:02d}"))["status"] is True
    await sandbox.set_recipient_faults(enabled=False)
    assert (await fonnte.send("6281200000051"))["status"] is True
