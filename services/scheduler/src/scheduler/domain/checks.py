"""Whose devices are to be looked at between the times they all are."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from common.contracts.documents import GATEWAY_SILENT_SECONDS, SenderDocument

WHILE_AWAY = timedelta(seconds=60)
"""How often a device is looked at that may come back without a word."""


def can_be_asked(sender: SenderDocument, now: datetime) -> bool:
    """Whether somebody could ask its provider how its device is."""
    return now - sender["gateway_seen_at"] < timedelta(seconds=GATEWAY_SILENT_SECONDS)


def due(senders: Iterable[SenderDocument], away: Collection[str], now: datetime) -> list[SenderDocument]:
    """Those nobody has ever asked about, and those that are `away`, once in a while."""
    found = []
    for sender in senders:
        asked_at = sender.get("device", {}).get("asked_at")
        again = sender["_id"] in away and asked_at is not None and now - asked_at >= WHILE_AWAY
        if can_be_asked(sender, now) and (asked_at is None or again):
            found.append(sender)
    return found
