"""The versions of every template, in the collection `templates`.

A version never changes, and its number is taken by inserting it: `_id` is `<name>:<version>`, so two who publish at
once cannot both have it. The highest version of a name is the current one.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import cast

from common.catalogue.texts import Texts, builtin_texts, texts_of
from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import NotificationType
from common.kernel.clock import Clock, SystemClock
from common.kernel.failures import Transient
from common.mongo.connection import Document, DuplicateKeyError, Mongo
from common.mongo.remembered import Remembered

BUILTIN, PERSON = "builtin", "person"
CURRENT_SECONDS = 1.0
"""How old the answer to which version is current may be."""
VERSION_SECONDS = 3600.0
TRIES = 20
_NAMES = {kind.value for kind in NotificationType}


class NoTemplate(LookupError):  # noqa: N818 - failures are adjectives here
    """Nobody has published a template of this name, or not this version of it."""


class Templates:
    def __init__(self, mongo: Mongo, clock: Clock | None = None) -> None:
        self._templates = mongo["templates"]
        self._clock = clock or SystemClock()
        self._current = Remembered(self._newest_or_builtin, seconds=CURRENT_SECONDS)
        self._versions = Remembered(self._version, seconds=VERSION_SECONDS)

    async def current(self, name: str) -> TemplateDocument:
        """The version of a type (its key) or of an operator's template that is used now; at most 1 s old.

        Raises `NoTemplate`.
        """
        return await self._current(name)

    async def get(self, identity: str) -> TemplateDocument:
        """One version by its identity, `welcome:3`; raises `NoTemplate`."""
        return await self._versions(identity)

    async def publish(self, name: str, texts: Texts, *, by: str) -> TemplateDocument:
        """The next version of a template. Publishing what is current already changes nothing: it may be repeated.

        A type's own built-in texts become a `builtin` version again, which follows the next release.
        """
        builtin = _builtin(name)
        origin = BUILTIN if builtin is not None and builtin == texts else PERSON
        for _ in range(TRIES):
            newest = await self._newest(name)
            if newest is not None and texts_of(newest) == texts:
                break
            newest = await self._insert(name, 1 if newest is None else newest["version"] + 1, texts, origin, by)
            if newest is not None:
                break
        else:
            raise Transient(f"{TRIES} others published {name} at the same time")
        self._current.forget(name)
        return newest

    async def seed(self) -> list[str]:
        """Store the texts this release comes with where they are new: as version 1, or after an older built-in version.

        What a person published stays current. Answers the identities of what this call stored.
        """
        newest = {document["type"]: document for document in await self.newest()}
        seeded = []
        for kind in NotificationType:
            document, stored = await self._seeded(kind.value, newest.get(kind.value))
            if document is not None and stored:
                seeded.append(document["_id"])
        return seeded

    async def newest(self, *, after: str = "", limit: int = 10_000) -> list[TemplateDocument]:
        """The current version of every name after one, in the order of names."""
        steps: list[Document] = [
            {"$match": {"type": {"$gt": after}}},
            {"$sort": {"type": 1, "version": -1}},
            {"$group": {"_id": "$type", "newest": {"$first": "$$ROOT"}}},
            {"$sort": {"_id": 1}},
            {"$limit": limit},
            {"$replaceRoot": {"newRoot": "$newest"}},
        ]
        return cast("list[TemplateDocument]", await self._templates.aggregate(steps).to_list(None))

    async def versions(self, name: str, *, limit: int = 100) -> Sequence[TemplateDocument]:
        """The versions of a name, newest first."""
        cursor = self._templates.find({"type": name}).sort("version", -1).limit(limit)
        return cast("list[TemplateDocument]", await cursor.to_list(None))

    async def _seeded(self, name: str, newest: TemplateDocument | None) -> tuple[TemplateDocument | None, bool]:
        """The current version once this release's text is stored where it belongs, and whether this stored it."""
        texts = _builtin(name)
        if texts is None:
            return newest, False
        for _ in range(TRIES):
            if newest is not None and (newest["origin"] != BUILTIN or texts_of(newest) == texts):
                return newest, False
            stored = await self._insert(name, 1 if newest is None else newest["version"] + 1, texts, BUILTIN, "kabar")
            if stored is not None:
                return stored, True
            newest = await self._newest(name)
        raise Transient(f"{TRIES} others published {name} at the same time")

    async def _newest_or_builtin(self, name: str) -> TemplateDocument:
        """Whoever is asked for a type before anything was stored stores its text first."""
        found = await self._newest(name)
        if found is None:
            found, _ = await self._seeded(name, None)
        if found is None:
            raise NoTemplate(f"there is no template {name}")
        return found

    async def _newest(self, name: str) -> TemplateDocument | None:
        found = await self._templates.find_one({"type": name}, sort=[("version", -1)])
        return cast("TemplateDocument | None", found)

    async def _version(self, identity: str) -> TemplateDocument:
        found = await self._templates.find_one({"_id": identity})
        if found is None:
            raise NoTemplate(f"there is no template {identity}")
        return cast("TemplateDocument", found)

    async def _insert(self, name: str, version: int, texts: Texts, origin: str, by: str) -> TemplateDocument | None:
        """`None` when somebody else has this version."""
        at: datetime = self._clock.now()
        document: TemplateDocument = {
            "_id": f"{name}:{version}",
            "type": name,
            "version": version,
            "whatsapp": texts.whatsapp,
            "email_subject": texts.email_subject,
            "email_text": texts.email_text,
            "origin": origin,
            "created_by": by,
            "created_at": at,
        }
        try:
            await self._templates.insert_one(cast("Document", document))
        except DuplicateKeyError:
            return None
        return document


def _builtin(name: str) -> Texts | None:
    return builtin_texts(NotificationType(name)) if name in _NAMES else None
