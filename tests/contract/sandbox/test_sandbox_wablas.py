from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.sandbox.clients import WABLAS_CREDENTIAL

if TYPE_CHECKING:
    from sandbox.control_client import SandboxControl
    from tests.contract.sandbox.clients import WablasClient

TOKEN = WABLAS_CREDENTIAL.partition(".")[0]


async def test_success_has_the_wire_shape(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    response = await wablas.send({"phone": "081200000001", "message": "Halo", "ref_id": "r1"})

    [message] = await sandbox.accepted("wablas")
    assert response.json() == {
        "status": True,
        "message": "Message is pending and waiting to be processed",
        "data": {
            "device_id": "WABLAS1",
            "quota": 999_999,
            "messages": [
                {"id": message.id, "phone": 6281200000001, "message": "Halo", "status": "pending", "ref_id": "r1"}
            ],
        },
    }
    assert (message.recipient, message.text, message.ref_id) == ("6281200000001", "Halo", "r1")


async def test_a_batch_may_hold_failed_items(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    good = {"phone": "6281200000001", "message": "Halo", "ref_id": "a"}
    bad = {"phone": "bukan nomor", "message": "Halo", "ref_id": "b"}

    items = (await wablas.send(good, bad, good)).json()["data"]["messages"]

    assert [item["status"] for item in items] == ["pending", False, "pending"]
    assert items[1]["message"] == "format phone invalid"
    assert len(await sandbox.accepted()) == 2


@pytest.mark.parametrize(
    "content", [{}, {"data": []}, {"data": {}}, [], {"data": [{"phone": "1"}]}, {"data": [{}] * 101}, {"data": ["x"]}]
)
async def test_v2_wants_a_list_of_at_most_100(wablas: "WablasClient", sandbox: "SandboxControl", content: Any) -> None:
    response = await wablas.call("POST", "/api/v2/send-message", json=content)

    assert response.json() == {"status": False, "message": "param invalid"}
    assert await sandbox.accepted() == []


async def test_v1_takes_form_and_json_and_the_simple_get(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    fields = {"phone": "081200000001,6281200000002", "message": "Halo"}
    form = await wablas.call("POST", "/api/send-message", data=fields)
    as_json = await wablas.call("POST", "/api/send-message", json=fields)
    simple = await wablas.http.get("/api/send-message", params={**fields, "token": WABLAS_CREDENTIAL})

    for response in (form, as_json, simple):
        content = response.json()
        assert content["status"] is True
        assert content["data"].keys() == {"messages"}
    assert len(await sandbox.accepted("wablas")) == 6


@pytest.mark.parametrize(
    ("credential", "http_status", "message"),
    [
        ("wrong.wrong", 500, "token invalid or device expired"),
        (f"Bearer {WABLAS_CREDENTIAL}", 500, "token invalid or device expired"),
        (f"{TOKEN}.wrong", 403, "secret key invalid"),
        (TOKEN, 403, "need secret key"),
        ("", 403, "not authorized"),
    ],
)
async def test_wrong_credentials(wablas: "WablasClient", credential: str, http_status: int, message: str) -> None:
    response = await wablas.send(credential=credential)

    assert (response.status_code, response.json()) == (http_status, {"status": False, "message": message})


async def test_credential_variants(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    await sandbox.change_variants("wablas", bad_token_status=400, second_half="optional")

    assert (await wablas.send(credential="wrong.wrong")).status_code == 400
    assert (await wablas.send(credential=TOKEN)).json()["status"] is True


@pytest.mark.parametrize(
    ("variants", "expected"),
    [
        ({"phone": "string"}, lambda answer: answer["messages"][0]["phone"] == "6281200000001"),
        ({"ref_id": "null"}, lambda answer: answer["messages"][0]["ref_id"] is None),
        ({"ref_id": "empty"}, lambda answer: answer["messages"][0]["ref_id"] == ""),
        ({"ref_id": "absent"}, lambda answer: "ref_id" not in answer["messages"][0]),
        ({"quota": "unlimited"}, lambda answer: answer["quota"] == "unlimited"),
        ({"quota": "absent"}, lambda answer: "quota" not in answer),
    ],
)
async def test_variants_of_the_answer(
    wablas: "WablasClient", sandbox: "SandboxControl", variants: dict[str, Any], expected: Any
) -> None:
    await sandbox.change_variants("wablas", **variants)

    assert expected((await wablas.send()).json()["data"])


async def test_random_answers_a_list_and_spintax_expands(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    item = {"phone": "6281200000001", "message": "{Halo|Hai} Budi", "random": "true", "spintax": True}

    content = (await wablas.send(item)).json()

    assert content["data"][0]["messages"][0]["message"] == "Halo Budi"
    assert [message.text for message in await sandbox.accepted()] == ["Halo Budi"]


async def test_groups_come_without_suffix(wablas: "WablasClient") -> None:
    items: list[dict[str, Any]] = [
        {"phone": "120363000000000001", "message": "Halo", "isGroup": "true"},
        {"phone": "120363000000000001@g.us", "message": "Halo", "isGroup": True},
    ]

    answers = (await wablas.send(*items)).json()["data"]["messages"]

    assert [answer["status"] for answer in answers] == ["pending", False]


async def test_quota_runs_out_with_200(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    await sandbox.set_quota("wablas", 1)

    first, second = await wablas.send(), await wablas.send()

    assert first.json()["data"]["quota"] == 0
    assert (second.status_code, second.json()["status"]) == (200, False)
    assert len(await sandbox.accepted()) == 1


async def test_a_disconnected_device_refuses(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    await sandbox.disconnect_after("wablas", 1)
    assert (await wablas.send()).json()["status"] is True

    refused = (await wablas.send()).json()
    device = (await wablas.call("GET", "/api/device/info", params={"token": TOKEN}, credential="")).json()

    assert refused == {"status": False, "message": "device disconnected, need to scan qr code again"}
    assert device["data"]["status"] == "disconnected"
    await sandbox.reconnect("wablas")
    assert (await wablas.send()).json()["status"] is True


async def test_texts_above_1024_are_refused_cut_or_taken(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    long = {"phone": "6281200000001", "message": "x" * 1025}
    assert (await wablas.send(long)).json()["message"] == "param invalid"
    for variant in ("cut", "accept"):
        await sandbox.change_variants("wablas", above_1024=variant)
        assert (await wablas.send(long)).json()["status"] is True
    assert [len(message.text) for message in await sandbox.accepted()] == [1024, 1025]


async def test_equal_references_are_two_messages(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    await wablas.send()
    await wablas.send()

    report = (await wablas.call("GET", "/api/report/message", params={"ref_id": "r1"})).json()
    assert report["totalData"] == 2
    assert (await sandbox.counts())["repeated_ref_ids"] == {"r1": 2}


async def test_reports_are_filtered_and_paged(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    items = [{"phone": f"62812000000{n:02d}", "message": f"nomor {n}", "ref_id": f"r{n}"} for n in range(1, 8)]
    await wablas.send(*items)

    page = (await wablas.call("GET", "/api/report/message", params={"perPage": 3, "page": 3})).json()
    one = (await wablas.call("GET", "/api/report/message", params={"ref_id": "r5"})).json()
    none = (await wablas.call("GET", "/api/report/message", params={"ref_id": "r99"})).json()
    today = (await wablas.call("GET", "/api/report-realtime", params={"limit": 1000})).json()

    assert (page["totalData"], page["totalPage"], len(page["message"])) == (7, 3, 1)
    assert (one["message"][0]["phone"]["to"], one["message"][0]["status"]) == ("6281200000005", "sent")
    assert none["message"] == []
    assert today["totalData"] == 7
    assert one["message"][0]["id"] == (await sandbox.accepted(recipient="6281200000005"))[0].id


async def test_reports_lag_and_fail(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    await wablas.send()
    await sandbox.change_variants("wablas", report_lag_seconds=60)
    assert (await wablas.call("GET", "/api/report/message")).json()["totalData"] == 0
    await sandbox.advance_clock(61)
    assert (await wablas.call("GET", "/api/report/message")).json()["totalData"] == 1

    await sandbox.change_variants("wablas", report="limited")
    limited = await wablas.call("GET", "/api/report/message")
    assert (limited.status_code, limited.json()["message"]) == (429, "Report generation limit exceeded")
    await sandbox.change_variants("wablas", report="500_with_report")
    odd = await wablas.call("GET", "/api/report/message")
    assert (odd.status_code, odd.json()["totalData"]) == (500, 1)


async def test_a_batch_of_five_leaves_per_gap(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    assert (await wablas.call("POST", "/api/device/speed", data={"speed": "9"})).json()["status"] is False
    assert (await wablas.call("POST", "/api/device/speed", data={"speed": "10"})).json()["status"] is True
    await wablas.send(*[{"phone": "6281200000001", "message": f"{n}"} for n in range(12)])

    assert len(await sandbox.accepted("wablas", state="processing", at_least=5)) == 5
    await sandbox.advance_clock(10)
    assert len(await sandbox.accepted("wablas", state="sent", at_least=5)) == 5
    await sandbox.run_clock_at(10_000)
    assert len(await sandbox.accepted("wablas", state="sent", at_least=12)) == 12


async def test_scheduled_messages_wait_and_are_cancelled(wablas: "WablasClient", sandbox: "SandboxControl") -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)
    when = {"date": f"{moment:%Y-%m-%d}", "time": f"{moment:%H:%M:%S}", "timezone": "UTC"}
    ids = []
    for n in (1, 2, 3):
        fields = {"phone": f"628120000000{n}", "message": "Halo", **when}
        answer = (await wablas.call("POST", "/api/schedule", data=fields)).json()
        ids.append(answer["data"]["messages"][0]["id"])

    assert len(await sandbox.accepted(state="waiting")) == 3
    assert (await wablas.call("DELETE", f"/api/schedule/{ids[0]}")).json()["status"] is True
    assert (await wablas.call("GET", "/api/cancel-message", params={"id": ids[1]})).json()["status"] is True
    again = (await wablas.call("GET", "/api/cancel-message", params={"id": ids[1]})).json()
    assert again["message"] == "Id Invalid or message is not pending anymore"
    await sandbox.advance_clock(3601)
    [sent] = await sandbox.accepted(state="sent", at_least=1)
    assert sent.id == ids[2]


async def test_the_phone_check(wablas: "WablasClient") -> None:
    response = await wablas.call("GET", "/check-phone-number", params={"phones": "6281200000001,6281200000051"})

    assert [row["status"] for row in response.json()["data"]] == ["online", "offline"]


async def test_unknown_paths_are_html(wablas: "WablasClient") -> None:
    response = await wablas.call("GET", "/api/nowhere")

    assert (response.status_code, response.headers["content-type"]) == (404, "text/html; charset=UTF-8")
