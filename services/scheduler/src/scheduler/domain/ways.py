"""Through which providers people can be told of what is wrong with one of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from common.contracts.documents import GATEWAY_SILENT_SECONDS, SenderDocument
from common.contracts.vocabulary import MAIL_PROVIDER, CircuitState


def ways_around(senders: Sequence[SenderDocument], about: str | None, now: datetime) -> list[str]:
    """WhatsApp providers with a sender that works, without the provider of whom it is `about` where there is another;
    none when nobody could take a message now.
    """
    able = [sender for sender in senders if sender["provider"] != MAIL_PROVIDER and works(sender, now)]
    avoided = {sender["provider"] for sender in senders if sender["_id"] == about}
    providers = {sender["provider"] for sender in able}
    return sorted(providers - avoided or providers)


def works(sender: SenderDocument, now: datetime) -> bool:
    """Whether a sender could take a message now, for all we know."""
    circuit = sender.get("circuit")
    out = circuit is not None and circuit["state"] != CircuitState.CLOSED
    silent = now - sender["gateway_seen_at"] >= timedelta(seconds=GATEWAY_SILENT_SECONDS)
    return not (out or silent or sender.get("paused") or sender.get("quota_remaining") == 0)
