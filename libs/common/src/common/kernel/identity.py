"""Identities that sort by the time they were made."""

import hashlib
import secrets
import time


def new_id(prefix: str) -> str:
    """`<prefix>_` + 12 hexadecimal digits of milliseconds + 16 random ones: unique, sortable, URL-safe."""
    return f"{prefix}_{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def delivery_id(notification_id: str, channel: str, recipient: str, content: str = "") -> str:
    """The delivery of one notification to one recipient: the same arguments always give the same identity.

    Planning a page twice therefore inserts nothing twice. `content` tells apart several items of one bulk call that go
    to the same recipient. The notification's own identity comes first, so that deliveries sort by age.
    """
    digest = hashlib.blake2b(f"{channel}\x1f{recipient}\x1f{content}".encode(), digest_size=8).hexdigest()
    return f"{_prefix(notification_id)}-{digest}"


def deliveries_of(notification_id: str) -> tuple[str, str]:
    """All identities of a notification's deliveries: from the first one on, and below the second."""
    return f"{_prefix(notification_id)}-", f"{_prefix(notification_id)}."


def _prefix(notification_id: str) -> str:
    return notification_id.replace("ntf_", "dlv_", 1)
