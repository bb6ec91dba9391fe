"""Saying every second: these senders have a gateway, and this is what is left of their quota."""

from collections.abc import Collection as Several

from common.mongo.connection import Collection, Document, UpdateOne
from gateway.adapters.mongo_quotas import quota_known


class MongoSenders:
    """Keeps a gateway's senders registered, those there are now; it removes none: another replica may have them."""

    def __init__(self, collection: Collection, *, provider: str, senders: Several[str], max_text_chars: int) -> None:
        self._collection = collection
        self._senders = senders
        self._known: Document = {"provider": provider, "max_text_chars": max_text_chars}
        self._quotas: dict[str, int] = {}
        self.registered = not self._senders
        """Whether others have been told of them: before that everything goes to another provider."""

    def quota(self, sender: str, remaining: int) -> None:
        """Remember what an answer told; the least of them (answers overtake each other) goes with the next sign."""
        self._quotas[sender] = min(remaining, self._quotas.get(sender, remaining))

    async def show_life(self) -> None:
        """Write all senders in one go, on the server's clock."""
        if not self._senders:
            return
        quotas, self._quotas = self._quotas, {}
        try:
            await self._collection.bulk_write(
                [self._sign(sender, quotas.get(sender)) for sender in self._senders], ordered=False
            )
        except BaseException:
            self._quotas = quotas | self._quotas  # told with the next sign instead, unless newer is known
            raise
        self.registered = True

    def _sign(self, sender: str, quota: int | None) -> UpdateOne:
        sign = {**self._known, "gateway_seen_at": "$$NOW", **({} if quota is None else quota_known(quota))}
        return UpdateOne({"_id": sender}, [{"$set": sign}], upsert=True)
