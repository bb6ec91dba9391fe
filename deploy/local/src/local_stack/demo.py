"""What `make demo` shows: one message from the request to its delivery."""

import sys
import time

import httpx

from local_stack.access import Access

_FINAL = {"sent", "delivered", "read", "failed", "cancelled", "expired", "suppressed", "unknown"}
_PATIENCE_SECONDS = 60


def run(access: Access) -> int:
    """Send one message and follow it to its end; 0 when it was sent."""
    if access.sandbox_url is None:
        sys.stdout.write("The demo writes to invented numbers, so it only runs with the sandbox providers.\n")
        return 1
    headers = {"Authorization": f"Bearer {access.token}"}
    with httpx.Client(base_url=access.url, headers=headers, timeout=10, trust_env=False) as client:
        body = {"type": "custom", "to": ["6281200000001"], "message": "Halo dari Kabar"}
        accepted = client.post("/api/notifications", json=body).raise_for_status().json()
        sys.stdout.write(f"accepted: {accepted['notification_id']}\n")
        status = _follow(client, accepted["notification_id"])
    return 0 if status in {"sent", "delivered", "read"} else 1


def _follow(client: httpx.Client, notification: str) -> str:
    deadline, status = time.monotonic() + _PATIENCE_SECONDS, ""
    while status not in _FINAL and time.monotonic() < deadline:
        rows = client.get("/api/deliveries", params={"notification_id": notification}).raise_for_status().json()
        for row in rows["items"]:
            if row["status"] != status:
                status = row["status"]
                sys.stdout.write(f"  {row['recipient']}: {status}\n")
        time.sleep(0.2)
    return status
