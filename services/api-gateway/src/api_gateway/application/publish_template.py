"""Publish the next version of a template."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from api_gateway.application.editing_ports import ChangeableRoutes, TemplateVersions
from api_gateway.application.ports import AuditLog, Senders
from api_gateway.application.preview_template import drafted, find, text_limits
from api_gateway.domain.access import Caller
from api_gateway.domain.refusals import invalid
from api_gateway.domain.templates import check_texts, rendered, shortcomings, type_of, values_for
from common.catalogue.texts import Texts, texts_of
from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import Channel, NotificationType
from common.telemetry.logs import logger

log = logger()


@dataclass(frozen=True)
class Published:
    """`new` unless these texts were the current ones already; `warnings` say when the text could not be sent."""

    document: TemplateDocument
    new: bool
    warnings: Sequence[str]


@dataclass(frozen=True)
class PublishTemplate:
    templates: TemplateVersions
    routes: ChangeableRoutes
    senders: Senders
    audit: AuditLog
    zone: tzinfo

    async def __call__(self, name: str, given: Mapping[str, str | None], caller: Caller) -> Published:
        """The given texts, each one left out as it is now, once they could be sent with the type's example; a template
        for `custom` has no example and is only read.

        Raises `Refused` naming the text and its line.
        """
        kind = type_of(name)
        found = await self._newest(name)
        if found is None and given.get("whatsapp") is None:
            raise invalid("whatsapp", "needed: the text")
        texts = check_texts(name, drafted(found, given))
        await self._check_channels(kind, texts)
        warnings: list[str] = []
        if kind is not NotificationType.CUSTOM:
            shown = rendered(texts, values_for(name, None), self.zone)
            warnings = shortcomings(name, texts, shown, await text_limits(self.senders), self.zone)
        if found is not None and texts_of(found) == texts:
            return Published(found, new=False, warnings=warnings)
        before = None if found is None else {"version": found["version"]}
        async with self.audit.changing(caller, "template.publish", name, before=before) as change:
            document = await self.templates.publish(name, texts, by=caller.subject)
            change.after = {"version": document["version"], "origin": document["origin"]}
        log.info("template.published", template=document["_id"], by=caller.subject)
        return Published(document, new=True, warnings=warnings)

    async def _newest(self, name: str) -> TemplateDocument | None:
        """Not a moment old: what is left out stays as the last publisher left it."""
        versions = await self.templates.versions(name, limit=1)
        return versions[0] if versions else await find(self.templates, name)

    async def _check_channels(self, kind: NotificationType, texts: Texts) -> None:
        if kind is NotificationType.CUSTOM or texts.email_text is not None:
            return
        if Channel.EMAIL in (await self.routes.effective(kind)).channels:
            raise invalid("email_text", f"{kind} goes by e-mail, too; take email from the channels of its route first")
