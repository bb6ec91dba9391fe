from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sandbox.clients import FONNTE_ACCOUNT, FONNTE_TOKEN, FONNTE_TOKEN_2

if TYPE_CHECKING:
    from sandbox.control_client import SandboxControl
    from tests.contract.sandbox.clients import FonnteClient


async def test_success_has_the_wire_shape(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    answer = await fonnte.send("081200000001", "Halo *dunia* & teman+teman", countryCode="62")

    [message] = await sandbox.accepted("fonnte")
    assert answer == {
        "detail": "success! message in queue",
        "id": [int(message.id)],
        "process": "pending",
        "quota": {
            "6281200000901": {
                "details": "deduced from total quota",
                "quota": 1_000_000,
                "remaining": 999_999,
                "used": 1,
            }
        },
        "requestid": answer["requestid"],
        "status": True,
        "target": ["6281200000001"],
    }
    assert (message.recipient, message.text) == ("6281200000001", "Halo *dunia* & teman+teman")
    assert message.answered_at is not None
    assert message.received_at <= message.answered_at


async def test_multipart_is_taken_like_a_form(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    parts = {"target": (None, "6281200000001"), "message": (None, "Halo\nbaris dua ✓")}

    answer = (await fonnte.post("/send", files=parts)).json()

    assert answer["status"] is True
    assert [message.text for message in await sandbox.accepted()] == ["Halo\nbaris dua ✓"]


@pytest.mark.parametrize(
    ("content", "accepted"),
    [
        ({"target": "6281200000001", "message": "Halo"}, True),
        ({"target": "6281200000001", "message": "Halo", "inboxid": 7, "typing": True}, True),
        ({"target": "6281200000001", "message": "Halo", "inboxid": "7"}, False),
        ({"target": "6281200000001", "message": "Halo", "inboxid": ""}, False),
        ({"target": "6281200000001", "message": "Halo", "typing": "true"}, False),
        ({"target": "6281200000001", "message": "Halo", "schedule": True}, False),
        ({"target": 6281200000001, "message": "Halo"}, False),
        ({"target": "6281200000001", "message": ""}, False),
        (["6281200000001"], False),
    ],
)
async def test_json_is_read_with_strict_types(fonnte: "FonnteClient", content: Any, accepted: bool) -> None:  # noqa: FBT001  # a column of the table
    answer = await fonnte.send_json(content)

    assert answer["status"] is accepted
    assert accepted or answer["reason"] == "invalid/empty body value"


async def test_json_modes(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    plain = {"target": "6281200000001", "message": "Halo"}
    await sandbox.change_variants("fonnte", json_send="target_and_message_only")
    assert (await fonnte.send_json(plain))["status"] is True
    assert (await fonnte.send_json({**plain, "typing": True}))["status"] is False

    await sandbox.change_variants("fonnte", json_send="refused")
    assert (await fonnte.send_json(plain))["status"] is False
    assert (await fonnte.send())["status"] is True


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"target": "120363000000000001"}, "target input invalid"),
        ({"target": "120363000000000001@c.us"}, "target input invalid"),
        ({"target": "6281200000001@s.whatsapp.net"}, "invalid/empty body value"),
        ({"target": "abc"}, "target invalid"),
        ({"target": ""}, "invalid/empty body value"),
        ({"message": ""}, "invalid/empty body value"),
        ({"schedule": "besok"}, "input invalid"),
        ({"delay": "5-"}, "input invalid"),
        ({"choices": "satu"}, "input invalid"),
        ({"location": "di sana"}, "input invalid"),
        ({"url": "bukan alamat"}, "url invalid"),
        ({"url": "https://example.org/a.exe"}, "file format not supported"),
        ({"data": "{"}, "JSON format invalid"),
        ({"message": "x" * 60_001}, "input invalid"),
    ],
)
async def test_refusals_accept_nothing(
    fonnte: "FonnteClient", sandbox: "SandboxControl", fields: dict[str, str], reason: str
) -> None:
    answer = await fonnte.send(**{"target": "6281200000001", "message": "Halo", **fields})

    assert (answer["status"], answer["reason"]) == (False, reason)
    assert isinstance(answer["requestid"], int)
    assert await sandbox.accepted() == []
    assert len(await sandbox.calls()) == 1


async def test_a_file_above_4_mb_is_refused(fonnte: "FonnteClient") -> None:
    form = {"target": "6281200000001", "message": "Halo"}
    large = await fonnte.post("/send", form, files={"file": ("a.pdf", b"x" * (4 * 1024 * 1024 + 1))})
    fitting = await fonnte.post("/send", form, files={"file": ("a.pdf", b"x" * 1000)})

    assert large.json()["reason"] == "file size must under 4MB"
    assert fitting.json()["status"] is True


async def test_texts_above_4096_are_refused_when_asked(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    assert (await fonnte.send(message="x" * 4097))["status"] is True
    await sandbox.change_variants("fonnte", above_4096="refuse")
    assert (await fonnte.send(message="x" * 4097))["status"] is False


async def test_targets_expand(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    answer = await fonnte.send("081200000001|Budi|Rp 5,6281200000002|Sari|x", "Yth. {name}: {var1}")

    # The comma in a variable splits the target, which is why user values do not belong there.
    assert answer["target"] == ["6281200000001", "6281200000002"]
    assert [message.text for message in await sandbox.accepted()] == ["Yth. Budi: Rp 5", "Yth. Sari: x"]


@pytest.mark.parametrize(
    ("code", "target", "recipient"),
    [("62", "081200000001", "6281200000001"), ("60", "0123456789", "60123456789"), ("0", "0123456789", "0123456789")],
)
async def test_country_code_replaces_a_leading_zero(
    fonnte: "FonnteClient", code: str, target: str, recipient: str
) -> None:
    assert (await fonnte.send(target, countryCode=code))["target"] == [recipient]


async def test_groups_are_taken_with_their_suffix(fonnte: "FonnteClient") -> None:
    for group in ("120363000000000001@g.us", "6281200000001-1700000000@g.us"):
        assert (await fonnte.send(group))["target"] == [group]


async def test_independent_messages_in_one_call(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    several = '[{"target":"6281200000001","message":"satu"},{"target":"6281200000002","message":"dua"}]'

    answer = (await fonnte.post("/send", {"data": several})).json()

    assert len(answer["id"]) == 2
    assert [message.text for message in await sandbox.accepted()] == ["satu", "dua"]


async def test_quota_goes_down_and_runs_out(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.set_quota("fonnte", 3, device="fonnte-1")

    first = await fonnte.send("6281200000001,6281200000002")
    device = (await fonnte.post("/device")).json()
    second = await fonnte.send("6281200000001,6281200000002")

    [quota] = first["quota"].values()
    assert (quota["quota"], quota["remaining"], quota["used"]) == (3, 1, 2)
    assert device["quota"] == "1"
    assert second["reason"] == "insufficient quota"
    assert len(await sandbox.accepted()) == 2


async def test_the_same_request_twice_is_two_messages(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    first, second = await fonnte.send(), await fonnte.send()

    assert first["id"] != second["id"]
    counts = await sandbox.counts()
    assert counts["accepted"] == {"fonnte": 2, "wablas": 0, "email": 0}
    assert counts["repeated_recipients"] == {"6281200000001": 2}
    assert counts["repeated_texts"] == [{"recipient": "6281200000001", "text": "Halo", "times": 2}]


@pytest.mark.parametrize(
    ("variant", "token", "reason", "has_request_id"),
    [
        ("invalid token", "wrong", "invalid token", False),
        ("token invalid", "wrong", "token invalid", True),
        ("unknown user", "wrong", "unknown user", True),
        ("invalid token", f"Bearer {FONNTE_TOKEN}", "invalid token", False),
        ("invalid token", FONNTE_ACCOUNT, "unknown user", True),
        ("invalid token", "", "invalid token", False),
    ],
)
async def test_wrong_tokens(  # noqa: PLR0917  # columns of the table
    fonnte: "FonnteClient",
    sandbox: "SandboxControl",
    variant: str,
    token: str,
    reason: str,
    has_request_id: bool,  # noqa: FBT001  # a column of the table
) -> None:
    await sandbox.change_variants("fonnte", bad_token=variant)

    answer = await fonnte.send(token=token)

    assert answer["reason"] == reason
    assert ("requestid" in answer) is has_request_id
    assert await sandbox.accepted() == []


async def test_a_list_of_tokens_rotates_the_devices(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    for _ in range(4):
        await fonnte.send(token=f"{FONNTE_TOKEN},{FONNTE_TOKEN_2}")

    assert sorted(message.device for message in await sandbox.accepted()) == ["fonnte-1"] * 2 + ["fonnte-2"] * 2


@pytest.mark.parametrize(
    ("variants", "failing", "expected"),
    [
        ({"ids": "string"}, False, lambda answer: isinstance(answer["id"][0], str)),
        ({"quota_key": "0"}, False, lambda answer: list(answer["quota"]) == ["081200000901"]),
        ({"quota_key": "none"}, False, lambda answer: "quota" not in answer),
        ({"status_value": "text"}, False, lambda answer: answer["status"] == "true"),
        ({"status_value": "text"}, True, lambda answer: answer["status"] == "false"),
        ({"status_key": "Status"}, True, lambda answer: answer["Status"] is False and "status" not in answer),
        ({"error_key": "detail"}, True, lambda answer: answer["detail"] == "target invalid" and "reason" not in answer),
        ({"requestid": False}, True, lambda answer: "requestid" not in answer),
    ],
)
async def test_variants_of_the_answer(
    fonnte: "FonnteClient",
    sandbox: "SandboxControl",
    variants: dict[str, Any],
    failing: bool,  # noqa: FBT001  # a column of the table
    expected: Any,
) -> None:
    await sandbox.change_variants("fonnte", **variants)

    assert expected(await fonnte.send("abc" if failing else "6281200000001"))
