"""Show how a template would look."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from api_gateway.application.editing_ports import TemplateVersions
from api_gateway.application.ports import Senders
from api_gateway.domain.refusals import missing
from api_gateway.domain.templates import Rendered, check_texts, rendered, type_of, values_for
from api_gateway.domain.texts import check_values
from common.catalogue.texts import Texts, texts_of
from common.contracts.documents import TemplateDocument


@dataclass(frozen=True)
class Preview:
    """`version` is `None` for a text that is not published; `limits` says how many characters each provider takes."""

    version: int | None
    rendered: Rendered
    limits: Mapping[str, int]


@dataclass(frozen=True)
class PreviewTemplate:
    templates: TemplateVersions
    senders: Senders
    zone: tzinfo

    async def __call__(
        self, name: str, given: Mapping[str, str | None], *, version: int | None, data: Mapping[str, object] | None
    ) -> Preview:
        """The given texts, each one left out as it is in `version` (`None`: the current one), with `data` or the type's
        example. Raises `Refused` and `Missing`.
        """
        type_of(name)
        if data is not None:
            check_values("data", data)
        found = await find(self.templates, name, version)
        if found is None and (version is not None or given.get("whatsapp") is None):
            raise missing("template", name if version is None else f"{name}:{version}")
        texts = drafted(found, given)
        if given:
            texts = check_texts(name, texts)
        shown = rendered(texts, values_for(name, data), self.zone)
        return Preview(None if given or found is None else found["version"], shown, await text_limits(self.senders))


async def find(templates: TemplateVersions, name: str, version: int | None = None) -> TemplateDocument | None:
    """A version of a template, the current one unless it is said; `None` when there is none."""
    try:
        return await (templates.current(name) if version is None else templates.get(f"{name}:{version}"))
    except LookupError:
        return None


def drafted(found: TemplateDocument | None, given: Mapping[str, str | None]) -> Texts:
    """The texts of a version with the given ones in their place."""
    texts = Texts("") if found is None else texts_of(found)
    whatsapp = given.get("whatsapp")
    return Texts(
        whatsapp=texts.whatsapp if whatsapp is None else whatsapp,
        email_subject=given.get("email_subject", texts.email_subject),
        email_text=given.get("email_text", texts.email_text),
    )


async def text_limits(senders: Senders) -> dict[str, int]:
    """The longest text each provider takes, as its gateway says."""
    limits: dict[str, int] = {}
    for sender in await senders.all():
        limit, provider = sender["max_text_chars"], sender["provider"]
        limits[provider] = min(limit, limits.get(provider, limit))
    return limits
