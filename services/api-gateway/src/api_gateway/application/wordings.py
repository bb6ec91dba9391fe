"""The text of a notification, made before it is accepted so that what cannot be made is refused."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import tzinfo

from api_gateway.domain.refusals import Refused, invalid, unknown
from api_gateway.domain.texts import check_source, check_text
from common.catalogue.definitions import DEFINITIONS
from common.catalogue.texts import texts_of
from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import Channel, NotificationType
from common.rendering.failures import Unrenderable
from common.rendering.messages import MailText, render_mail, render_notification
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

    def mail(self, data: Mapping[str, object] | None) -> MailText:
        """The e-mail as it will be sent; raises `Refused` when it cannot be."""
        try:
            mail = render_mail(
                self.type,
                data=data,
                validity_seconds=self.validity_seconds,
                texts=None if self.template is None else texts_of(self.template),
                zone=self.zone,
            )
        except Unrenderable as error:
            raise self._refused("data", str(error)) from error
        check_text("data", mail.subject)
        check_text("data", mail.text)
        return mail

    def content(self, message: str | None, data: Mapping[str, object] | None, channel: Channel) -> str:
        """What somebody is told by a channel; raises `Refused` when it cannot be."""
        return self.mail(data).content if channel is Channel.EMAIL else self.text(message, data)

    def check(self, message: str | None, data: Mapping[str, object] | None, channels: Iterable[Channel]) -> None:
        """Raises `Refused` when nothing can be told by one of these channels."""
        for channel in set(channels):
            self.content(message, data, channel)

    @property
    def has_email(self) -> bool:
        return self.template is not None and self.template["email_text"] is not None

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
