"""Dunning on its whole way: run over the API, told by WhatsApp and e-mail, counted, and nobody told twice."""

import asyncio
from typing import Any

from tests.support.kabar import Kabar, eventually

DAY = "2025-11-15"
TOLD = {
    "6281200000001": ("dalam *7 hari*", "INV/2025/11/001", "Rp 150.000", "22 November 2025"),
    "6281200000002": ("dalam *3 hari*", "INV/2025/11/002", "Rp 150.000", "18 November 2025"),
    "6281200000003": ("*besok*", "INV/2025/11/003", "Rp 275.000", "16 November 2025"),
    "6281200000004": ("lewat jatuh tempo *3 hari*", "INV/2025/11/004", "Rp 350.000", "12 November 2025"),
}
"""The customers of the sample invoices, and what each is told."""
MAILED = ("siti@example.com", "budi@example.com", "dewi@example.com", "agus@example.com")
LINES = [
    ("T-7", 2, 1, {"opt_out": 1}),
    ("T-3", 2, 1, {"paid": 1}),
    ("T-1", 2, 1, {"cancelled": 1}),
    ("T+3", 1, 1, {}),
]


async def ran(kabar: Kabar, **body: Any) -> dict[str, Any]:
    """A run that is over."""
    answer = await kabar.http.post("/api/jobs/dunning/run", json={"date": DAY, **body})
    assert answer.status_code == 202, answer.text

    async def over() -> dict[str, Any] | None:
        run = await kabar.get(f"/api/jobs/dunning/runs/{answer.json()['run_id']}")
        return run if run["status"] not in {"requested", "running"} else None

    return await eventually(over, seconds=20)


async def reminders(kabar: Kabar) -> list[dict[str, Any]]:
    stored = await kabar.stored()
    return [one for one in stored if one["type"] in {"payment_reminder", "payment_overdue"}]


async def by_whatsapp(kabar: Kabar) -> list[tuple[str, str]]:
    """Numbers and texts at the simulators, which count mails among what they take."""
    taken = await kabar.sandbox.accepted()
    return [(one.recipient, one.text) for one in taken if "INV/2025/11" in one.text and one.recipient.isdigit()]


async def test_invoices_are_reminded_of_once_and_the_run_says_of_which(kabar: Kabar) -> None:
    dry = await ran(kabar, dry_run=True)
    assert await reminders(kabar) == []
    first = await ran(kabar)
    for run in (dry, first):
        lines = [(line["name"], line["found"], line["dispatched"], line["skipped"]) for line in run["lines"]]
        assert (run["status"], run["errors"], lines) == ("done", [], LINES)
        assert (run["found"], run["dispatched"], run["skipped"]) == (7, 4, {"opt_out": 1, "paid": 1, "cancelled": 1})

    async def told() -> dict[str, str] | None:
        taken = dict(await by_whatsapp(kabar))
        return taken if taken.keys() == TOLD.keys() else None

    texts = await eventually(told, seconds=20)
    mails = {mail["to"]: mail for mail in await kabar.sandbox.mails(at_least=len(TOLD))}
    for (number, words), address in zip(TOLD.items(), MAILED, strict=True):
        assert all(word in texts[number] for word in words), texts[number]
        assert words[1] in mails[address]["subject"]
        assert all(word in mails[address]["text"] for word in words[1:]), mails[address]["text"]

    second, third = await asyncio.gather(ran(kabar), ran(kabar))
    assert (second["dispatched"], third["dispatched"]) == (0, 0)
    assert second["skipped"] == {"already_dispatched": 4, "opt_out": 1, "paid": 1, "cancelled": 1}
    assert sorted(one["recipient"] for one in await reminders(kabar)) == sorted([*TOLD, *MAILED])
    assert len(await by_whatsapp(kabar)) == len(TOLD)
    assert len([one for one in await kabar.sandbox.mails() if "INV/2025/11" in one["subject"]]) == len(MAILED)
    assert (await kabar.get("/api/parked-envelopes"))["items"] == []
