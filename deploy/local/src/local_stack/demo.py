"""What `make demo` shows: one notification of each kind, each with the timeline of its deliveries."""

import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from local_stack.access import Access

_ENDS = {"sent", "delivered", "read", "failed", "cancelled", "expired", "suppressed", "unknown"}
_PATIENCE_SECONDS = 120


@dataclass(frozen=True)
class Scene:
    """One thing to show: what is posted, and what is done to the simulated provider before or to the message after."""

    title: str
    body: dict[str, Any]
    fault: dict[str, Any] | None = None
    send_in: timedelta | None = None
    cancelled: bool = False
    ends: dict[str, int] = field(default_factory=lambda: {"sent": 1})


def scenes() -> list[Scene]:
    return [
        Scene("A message to one person", {"type": "custom", "to": "0812-0000-0001", "message": "Halo dari Kabar"}),
        Scene("A one-time code: critical, skips the pacing, valid for five minutes",
              {"type": "otp", "to": "6281200000002", "data": {"code": "482913", "purpose": "masuk ke portal"}}),
        Scene("A template with values, harmless whatever stands in them",
              {"type": "custom", "to": "6281200000003", "message": "Yth. {{ nama }}, paket {{ paket }} sudah aktif.",
               "data": {"nama": "Budi *Santoso*", "paket": "Rumah 50 Mbps"}, "priority": "high"}),
        Scene("A failover: Fonnte answers 503, Wablas takes it",
              {"type": "custom", "to": "6281200000004", "message": "Pesan ini tetap sampai", "priority": "critical"},
              fault={"kind": "respond", "provider": "fonnte", "http_status": 503, "times": 1,
                     "recipient": "6281200000004"}, ends={"sent": 1}),
        Scene("A type with a text of its own, told of a customer in the directory",
              {"type": "welcome", "data": {"customer_id": "CUST-001"}, "priority": "critical"}),
        Scene("A broadcast to every active customer of an area",
              {"type": "maintenance", "priority": "critical",
               "data": {"type": "Pemeliharaan jaringan", "area": "Depok", "start_date": "2026-01-15",
                        "start_time": "23:00", "duration": "2 jam", "impact": "Koneksi terputus sementara",
                        "reason": "Peningkatan kapasitas"}}, ends={"sent": 2}),
        Scene("A list with a number that is none: the good one is kept",
              {"type": "custom", "to": ["6281200000005", "021-555"], "message": "Pemeliharaan pukul 23.00",
               "priority": "critical"}),
        Scene("A message for later", {"type": "custom", "to": "6281200000006", "message": "Pengingat",
                                      "priority": "critical"},
              send_in=timedelta(seconds=3)),
        Scene("A message for later, cancelled in time",
              {"type": "custom", "to": "6281200000007", "message": "Batal"},
              send_in=timedelta(hours=1), cancelled=True, ends={"cancelled": 1}),
    ]  # fmt: skip


def run(access: Access) -> int:
    """Show every scene; 0 when each ended as it should."""
    if access.sandbox_url is None:
        _say("The demo writes to invented numbers, so it only runs with the sandbox providers.")
        return 1
    headers = {"Authorization": f"Bearer {access.token}"}
    with httpx.Client(base_url=access.url, headers=headers, timeout=30, trust_env=False) as client:
        _say("Each sender waits WHATSAPP_QUEUE_DELAY (10 s) between two messages, so this takes a little while.\n")
        good = [_show(client, access.sandbox_url, scene) for scene in scenes()]
        _say("All as it should be." if all(good) else "Something did not end as it should; make logs tells more.")
    return 0 if all(good) else 1


def _show(client: httpx.Client, sandbox_url: str, scene: Scene) -> bool:
    _say(scene.title)
    if scene.fault is not None:
        httpx.post(f"{sandbox_url}/control/faults", json=scene.fault, trust_env=False).raise_for_status()
    accepted = client.post("/api/notifications", json=_body(scene)).raise_for_status().json()
    for refused in accepted["rejected"]:
        _say(f"  refused {refused['value']}: {refused['error']}")
    path = f"/api/notifications/{accepted['notification_id']}"
    if scene.cancelled:
        _progress(client, path, {"scheduled"}, accepted["deliveries"])
        client.post(f"{path}/cancel").raise_for_status()
    ends = _progress(client, path, _ENDS, accepted["deliveries"])
    query = {"notification_id": accepted["notification_id"]}
    for row in client.get("/api/deliveries", params=query).raise_for_status().json()["items"]:
        _tell(client.get(f"/api/deliveries/{row['id']}").raise_for_status().json())
    return _taken(ends) == scene.ends


def _taken(ends: dict[str, int]) -> dict[str, int]:
    """What was sent may have been delivered and read meanwhile, when the providers tell us so."""
    counts: dict[str, int] = {}
    for status, count in ends.items():
        end = "sent" if status in {"delivered", "read"} else status
        counts[end] = counts.get(end, 0) + count
    return counts


def _body(scene: Scene) -> dict[str, Any]:
    if scene.send_in is None:
        return scene.body
    return {**scene.body, "send_at": (datetime.now(UTC) + scene.send_in).isoformat()}


def _progress(client: httpx.Client, path: str, awaited: set[str], recipients: int) -> dict[str, int]:
    """The notification's recipients by status: when all have an awaited one, or when patience is over."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        progress: dict[str, int] = client.get(path).raise_for_status().json()["progress"]
        there = sum(count for status, count in progress.items() if status in awaited)
        if there >= recipients or time.monotonic() > deadline:
            return progress
        time.sleep(0.2)


def _tell(delivery: dict[str, Any]) -> None:
    via = delivery["attempts"][-1]["provider"] if delivery["attempts"] else None
    marks = [f"through {via}"] if via else []
    marks += ["by failover"] if delivery["failover"] else []
    marks += ["may have arrived twice"] if delivery["possible_duplicate"] else []
    _say(f"  {delivery['id']}  to {delivery['recipient']}  {delivery['status']} {', '.join(marks)}".rstrip())
    begin = datetime.fromisoformat(delivery["timeline"][0]["at"])
    for entry in delivery["timeline"]:
        seconds = (datetime.fromisoformat(entry["at"]) - begin).total_seconds()
        _say(f"    {seconds:7.3f} s  {entry['status']:<10} {entry['cause']}")
    for attempt in delivery["attempts"]:
        said = attempt["error"] or attempt["provider_message_id"] or ""
        _say(f"      attempt {attempt['number']}  {attempt['sender']:<10} {attempt['outcome']:<10} {said}")
    _say()


def _say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
