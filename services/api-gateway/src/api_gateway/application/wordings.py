"""The text of a notification, made before it is accepted so that what cannot be made is refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from api_gateway.domain.refusals import Refused, invalid, unknown
from api_gateway.domain.texts import check_source, check_text
from common.catalogue.definitions import DEFINITIONS
from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import NotificationType
from common.rendering.failures import Unrenderable
from common.rendering.messages import render_notification
from common.rendering.template import check


@dataclass(frozen=True)
class Wording:
    """Where the text comes from: the version of a stored `template`, or with none of them the request's own message."""

    type: NotificationType
    template: TemplateDocument | None
    validity_seconds: float
    zone: tzinfo

    def text(self, message: str | None, data: Mapping[str, object] | None) -> str:
        """The text as it will be sent; raises `Refused` when it cannot be."""
        field = "data"
        if self.template is None:
            field = "message"
            if message is None:
                raise invalid(field, "needed: the text to send")
            check_source(field, message)
        try:
            text = render_notification(
                self.type,
                message=message,
                data=data,
                validity_seconds=self.validity_seconds,
                template=None if self.template is None else self.template["whatsapp"],
                zone=self.zone,
            )
        except Unrenderable as error:
            raise self._refused(field, str(error)) from error
        check_text(field, text)
        return text

    def check_source(self, message: str) -> None:
        """Raise `Refused` for a shared message that is no template that may be rendered."""
        check_source("message", message)
        try:
            check(message)
        except Unrenderable as error:
            raise invalid("message", str(error)) from error

    def _refused(self, field: str, error: str) -> Refused:
        """What is missing of a row may still be told."""
        return unknown(field, error) if DEFINITIONS[self.type].rows else invalid(field, error)
