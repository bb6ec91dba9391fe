"""Whatever is posted gets an answer in the provider's dialect: a crash in here would look like an ambiguous send."""

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.contract.sandbox.clients import FonnteClient, WablasClient

NAMES = [
    *("target", "message", "url", "filename", "schedule", "delay", "countryCode", "typing", "duration", "location"),
    *("choices", "select", "connectOnly", "followup", "data", "sequence", "inboxid", "id", "phone", "isGroup"),
    *("ref_id", "random", "spintax", "date", "time", "timezone", "speed", "page", "perPage"),
]
TEXTS = ["", "0", "-1", "²", "٣", "9" * 30, "9" * 5000, "6281200000001", "a|b|c", ",", "{", "[]", "[1]", "[{}]", "\x00"]
VALUES: list[Any] = [*TEXTS, None, True, False, 0, -1, 1.5, 10**15, [], {}, [[]], {"phone": []}]


def some(values: list[Any], chance: random.Random) -> dict[str, Any]:
    fields = {chance.choice(NAMES): chance.choice(values) for _ in range(chance.randint(0, 5))}
    if chance.random() < 0.7:
        fields |= {"target": "6281200000001", "phone": "6281200000001", "message": "Halo", **fields}
    return fields


async def test_odd_bodies_to_fonnte(fonnte: "FonnteClient") -> None:
    chance = random.Random(1)
    for path in ("/send", "/validate", "/delete-message", "/reset-message", "/typing", "/status") * 40:
        for options in ({"data": some(TEXTS, chance)}, {"json": some(VALUES, chance)}, {"content": b"\xff{\x00"}):
            response = await fonnte.http.post(path, headers={"Authorization": "sandbox-fonnte-token"}, **options)
            assert response.status_code == 200, (path, options)
            assert "status" in response.json()


async def test_odd_bodies_to_wablas(wablas: "WablasClient") -> None:
    chance = random.Random(2)
    for path in ("/api/v2/send-message", "/api/send-message", "/api/schedule", "/api/device/speed") * 40:
        for options in (
            {"data": some(TEXTS, chance)},
            {"json": some(VALUES, chance)},
            {"json": {"data": [some(VALUES, chance)]}},
            {"content": b"\xff{\x00", "params": {"page": "²"}},
        ):
            response = await wablas.call("POST", path, **options)
            assert response.status_code in {200, 400}, (path, options)
            assert "status" in response.json()


async def test_odd_queries_to_wablas(wablas: "WablasClient") -> None:
    chance = random.Random(3)
    for path in ("/api/report/message", "/api/report-realtime", "/api/cancel-message", "/check-phone-number") * 40:
        response = await wablas.call("GET", path, params=some(TEXTS, chance))
        assert response.status_code in {200, 400}, path
