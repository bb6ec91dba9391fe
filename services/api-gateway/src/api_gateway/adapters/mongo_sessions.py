"""Sessions of the admin page in MongoDB, the same for every replica, and how often somebody tried to begin one."""

import contextlib
from collections.abc import Sequence
from dataclasses import asdict
from ipaddress import ip_address, ip_network

from api_gateway.adapters.grouped import persistently
from api_gateway.application.sign_in import Forgive, limited
from api_gateway.domain.session import Session, identity
from common.mongo.connection import Document, Mongo
from common.mongo.gate import Granted, Limits, MongoGate, Wait

BY_NAME = Limits(per_minute=5, per_hour=30)
"""Of one name from one address: nobody who only knows a name locks out whoever has it."""
BY_ADDRESS = Limits(per_minute=20, per_hour=200)
"""Of all names: many people may come from one address."""


class MongoSessions:
    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo
        self._sessions = mongo["sessions"]

    async def add(self, session: Session) -> None:
        document = asdict(session)
        document["_id"] = document.pop("id")
        replaced = {"_id": session.id}
        await persistently(lambda: self._sessions.replace_one(replaced, document, upsert=True), self._mongo)

    async def get(self, session_id: str) -> Session | None:
        found = await self._sessions.find_one({"_id": session_id})
        return None if found is None else _session(found)

    async def remove(self, session_id: str) -> None:
        await persistently(lambda: self._sessions.delete_one({"_id": session_id}), self._mongo)

    async def there(self, ids: Sequence[str]) -> set[str]:
        found = self._sessions.find({"_id": {"$in": list(ids)}}, {"_id": 1})
        return {document["_id"] async for document in found}


class MongoAttempts:
    def __init__(self, mongo: Mongo) -> None:
        self._gate = MongoGate(mongo["sign_in_gates"])

    async def demand(self, name: str, address: str) -> Forgive:
        mine, everybodys = _key(name, address), _key("*", address)
        counted = await self._counted(everybodys, BY_ADDRESS)
        await self._counted(mine, BY_NAME)

        async def forgive() -> None:
            await self._gate.reset(mine)
            await self._gate.give_back(everybodys, counted)

        return forgive

    async def _counted(self, key: str, limits: Limits) -> Granted:
        granted = await self._gate.grant(key, limits)
        if isinstance(granted, Wait):
            raise limited(granted.until)
        return granted


def _key(name: str, address: str) -> str:
    """Neither names nor addresses are kept."""
    return identity(f"{name}\n{_line(address)}")


def _line(address: str) -> str:
    """Whoever has one IPv6 address has the 2**64 of its network, each as good as new."""
    with contextlib.suppress(ValueError):
        if ip_address(address).version == 6:
            return str(ip_network(f"{address.partition('%')[0]}/64", strict=False))
    return address


def _session(document: Document) -> Session:
    return Session(id=document["_id"], **{name: value for name, value in document.items() if name != "_id"})
