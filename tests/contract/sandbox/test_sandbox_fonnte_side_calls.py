import asyncio
import time
from typing import TYPE_CHECKING

from tests.contract.sandbox.clients import FONNTE_ACCOUNT

if TYPE_CHECKING:
    from sandbox.control_client import SandboxControl
    from tests.contract.sandbox.clients import FonnteClient


async def test_a_disconnected_device_refuses_and_accepts_nothing(
    fonnte: "FonnteClient", sandbox: "SandboxControl"
) -> None:
    await sandbox.disconnect("fonnte", device="fonnte-1")

    assert (await fonnte.send())["reason"] == "request invalid on disconnected device"
    assert (await fonnte.post("/device")).json()["device_status"] == "disconnect"
    assert (await fonnte.send(token="sandbox-fonnte-token-2"))["status"] is True
    assert len(await sandbox.accepted()) == 1


async def test_a_device_drops_in_the_middle_of_a_blast(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.disconnect_after("fonnte", 3)

    assert [(await fonnte.send())["status"] for _ in range(5)] == [True, True, True, False, False]


async def test_held_messages_are_sent_on_reconnect(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.disconnect("fonnte")
    answer = await fonnte.send(connectOnly="false")

    assert (answer["status"], answer["process"]) == (True, "pending")
    assert len(await sandbox.accepted(state="pending")) == 1
    await sandbox.reconnect("fonnte")
    assert len(await sandbox.accepted(state="sent", at_least=1)) == 1


async def test_held_messages_expire_after_a_day(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.disconnect("fonnte")
    await fonnte.send(connectOnly="false")

    await sandbox.advance_clock(86_399)
    assert len(await sandbox.accepted(state="pending")) == 1
    await sandbox.advance_clock(2)
    assert len(await sandbox.accepted(state="expired", at_least=1)) == 1


async def test_held_messages_can_be_deleted(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.disconnect("fonnte")
    [message_id] = (await fonnte.send(connectOnly="false"))["id"]

    deleted = (await fonnte.post("/delete-message", {"id": message_id})).json()
    await sandbox.reconnect("fonnte")

    assert deleted == {"detail": f"message {message_id} successfully deleted", "status": True}
    assert (await fonnte.post("/delete-message", {"id": message_id})).json()["reason"] == "invalid message id"
    assert [message.state for message in await sandbox.accepted()] == ["cancelled"]


async def test_messages_leave_one_per_gap(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.set_pace("fonnte", seconds=5)
    [first] = (await fonnte.send("6281200000001"))["id"]
    await fonnte.send("6281200000002", delay="10-20")

    [processing] = await sandbox.accepted(state="processing", at_least=1)
    assert processing.id == str(first)
    too_late = (await fonnte.post("/delete-message", {"id": first})).json()
    assert too_late["reason"] == "cannot delete message with status processing"
    await sandbox.advance_clock(5)
    [processing] = await sandbox.accepted(state="processing", recipient="6281200000002", at_least=1)
    await sandbox.advance_clock(15)
    assert len(await sandbox.accepted(state="sent", at_least=2)) == 2


async def test_scheduled_messages_wait_for_their_time(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    in_an_hour = int(time.time()) + 3600
    answer = await fonnte.send(schedule=str(in_an_hour))
    assert answer["detail"] == "success! message will be sent on scheduled time"

    moved = (await fonnte.post("/reset-message", {"id": answer["id"][0], "schedule": in_an_hour + 3600})).json()
    assert moved["status"] is True
    await sandbox.advance_clock(3700)
    assert len(await sandbox.accepted(state="waiting")) == 1
    await sandbox.advance_clock(3600)
    assert len(await sandbox.accepted(state="sent", at_least=1)) == 1


async def test_device_tells_quota_as_text_and_takes_json(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.set_quota("fonnte", 78)

    content = (await fonnte.post("/device", json={"anything": ""})).json()

    assert content == {
        "device": "6281200000901",
        "device_status": "connect",
        "expired": "18 November 2029",
        "messages": 0,
        "name": "fonnte-1",
        "package": "Reguler",
        "quota": "78",
        "status": True,
    }
    assert (await fonnte.post("/device", token="wrong")).json()["reason"] == "token invalid"


async def test_device_lags_behind(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.change_variants("fonnte", device_lag_seconds=60)
    await sandbox.disconnect("fonnte")

    assert (await fonnte.post("/device")).json()["device_status"] == "connect"
    await sandbox.advance_clock(61)
    assert (await fonnte.post("/device")).json()["device_status"] == "disconnect"


async def test_get_devices_wants_the_account_token(fonnte: "FonnteClient") -> None:
    listed = (await fonnte.post("/get-devices", token=FONNTE_ACCOUNT)).json()

    assert [row["token"] for row in listed["data"]] == ["sandbox-fonnte-token", "sandbox-fonnte-token-2"]
    assert (await fonnte.post("/get-devices")).json()["reason"] == "unknown user"


async def test_disconnecting_and_the_qr_code(fonnte: "FonnteClient") -> None:
    assert (await fonnte.post("/qr", {"type": "qr"})).json()["reason"] == "device already connect"
    assert (await fonnte.post("/disconnect")).json() == {"detail": "device disconnected", "status": True}
    assert (await fonnte.post("/disconnect")).json()["detail"] == "device already disconnected"
    assert (await fonnte.post("/qr", {"type": "qr"})).json()["url"].startswith("iVBOR")
    assert (await fonnte.post("/fetch-group")).json()["detail"] == "cannot fetch with disconnected device"


async def test_groups(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    assert (await fonnte.post("/fetch-group")).json()["detail"] == "update whatsapp group list finished"
    listed = (await fonnte.post("/get-whatsapp-group")).json()
    assert listed["data"][0]["id"] == "120363000000000001@g.us"

    await sandbox.change_variants("fonnte", groups="none")
    empty = (await fonnte.post("/get-whatsapp-group")).json()
    assert (empty["status"], empty["detail"]) == (False, "you have no whatsapp group yet")
    await sandbox.change_variants("fonnte", groups="failing")
    assert (await fonnte.post("/get-whatsapp-group")).json()["detail"] == "failed to get whatsapp group"


async def test_validate(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    checked = (await fonnte.post("/validate", {"target": "081200000001,6281200000051"})).json()
    assert checked == {"registered": ["6281200000001"], "not_registered": ["6281200000051"], "status": True}
    assert (await fonnte.post("/validate", {})).json()["reason"] == "target required"
    too_many = {"target": ",".join(["6281200000001"] * 501)}
    assert (await fonnte.post("/validate", too_many)).json()["reason"] == "target invalid"
    await sandbox.disconnect("fonnte")
    refused = (await fonnte.post("/validate", {"target": "081200000001"})).json()
    assert refused["reason"] == "request invalid on disconnected device"


async def test_overlapping_validations_spoil_each_other(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    await sandbox.change_variants("fonnte", overlapping_validate="spoils")
    await sandbox.answer_late("fonnte", seconds=0.3, endpoint="validate", times=1)

    first = asyncio.create_task(fonnte.post("/validate", {"target": "081200000001"}))
    await sandbox.calls("fonnte", at_least=1)
    second = await fonnte.post("/validate", {"target": "081200000002"})

    assert (await first).json()["registered"] == ["6281200000001"]
    assert second.json()["not_registered"] == ["6281200000002"]


async def test_status_is_deprecated(fonnte: "FonnteClient", sandbox: "SandboxControl") -> None:
    [message_id] = (await fonnte.send())["id"]
    assert "webhook" in (await fonnte.post("/status", {"id": message_id})).json()["reason"]

    await sandbox.change_variants("fonnte", status_endpoint="answers")
    answer = (await fonnte.post("/status", {"id": message_id})).json()
    assert answer == {"id": message_id, "message_status": "sent", "status": True}


async def test_typing(fonnte: "FonnteClient") -> None:
    assert (await fonnte.post("/typing", {"target": "081200000001", "duration": "5"})).json()["status"] is True


async def test_get_is_not_served(fonnte: "FonnteClient") -> None:
    assert (await fonnte.http.get("/send")).status_code == 404
