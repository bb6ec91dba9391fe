"""Make the deliveries of notifications: rendered, and kept back where somebody is not to get them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from common.catalogue.texts import Texts, builtin_texts, texts_of
from common.contracts.documents import AudienceMember, DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import CHANNEL_OFF, OPTED_OUT, WAITING, Channel, NotificationType, providers_of
from common.rendering.failures import Unrenderable
from common.rendering.messages import MailText, begun, render_mail, render_message
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Repeats, Suppressions, Templates
from dispatcher.domain.audience import CUSTOMER, Addressee, Refusal, channel_of
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import TOLD_ALREADY, kept_back, plan_delivery
from dispatcher.domain.repeats import OnlyOnce, only_once

MAIL_IS_OFF = Refusal(CHANNEL_OFF, "e-mail is switched off: MAIL_HOST is not set")
AT_A_TIME = 100
"""Deliveries made before others get a turn: rendering is work, and claims must not wait for it."""


@dataclass
class Composed:
    """Deliveries that are not stored yet, and what they tell that nobody is to be told twice."""

    deliveries: list[DeliveryDocument]
    once: list[OnlyOnce]

    def add(self, other: "Composed") -> None:
        self.deliveries += other.deliveries
        self.once += other.once


@dataclass(frozen=True)
class _Message:
    """What is told, and the template it comes from; an e-mail has a subject. With a `refusal` it is not told."""

    text: str
    template: str | None
    subject_line: str | None = None
    refusal: Refusal | None = None


def nothing() -> Composed:
    return Composed([], [])


@dataclass(frozen=True)
class ComposeDeliveries:
    templates: Templates
    suppressions: Suppressions
    repeats: Repeats
    lookout: Lookout
    zone: tzinfo
    mail_is_on: bool = True

    async def texts(self, notification: NotificationDocument) -> Texts | None:
        """What it says: of the version it names or built in, or else nothing but its own message."""
        identity = notification.get("template")
        kind = NotificationType(notification["type"])
        texts = texts_of(await self.templates.get(identity)) if identity else builtin_texts(kind)
        if texts is None or "audience_query" not in notification:
            return texts
        return begun(notification, texts, without=CUSTOMER, zone=self.zone)

    async def __call__(
        self, notification: NotificationDocument, addressees: Sequence[Addressee], texts: Texts | None, *, first: int
    ) -> Composed:
        """Each with its text and its place, from `first` on; one for all that have the same number."""
        now = self.lookout.now()
        leaves = departure(notification, now, self.zone)
        limits = {
            channel: {name: self.lookout.text_limit(name) for name in providers_of(channel, notification["providers"])}
            for channel in Channel
        }
        made: dict[str, DeliveryDocument] = {}
        told: list[OnlyOnce] = []
        for position, addressee in enumerate(addressees, start=first):
            if position > first and (position - first) % AT_A_TIME == 0:
                await asyncio.sleep(0)
            message = self._message(notification, addressee, texts)
            text = message.text
            # Without a text or a number no provider can ever carry it, whoever wants it tried again.
            fits = [
                provider
                for provider, longest in limits[channel_of(addressee.member)].items()
                if longest is None or len(text) <= longest
            ]
            route = fits if text.strip() else []
            delivery = plan_delivery(
                notification,
                addressee.member,
                position=position,
                text=text,
                subject_line=message.subject_line,
                template=message.template,
                route=route,
                refusal=message.refusal or _refusal(message, route),
                departure=leaves,
                now=now,
            )
            made.setdefault(delivery["_id"], delivery)
            told += [one for one in [only_once(notification, delivery, now)] if one is not None]
        return Composed(list(made.values()), told)

    async def keep_back(self, composed: Composed) -> list[DeliveryDocument]:
        """All of them; those to somebody who is not to get them have ended.

        What is told is noted for its deliveries before they are stored: planned again, they find themselves.
        """
        await self._opted_out(composed.deliveries)
        goes = {delivery["_id"]: delivery for delivery in composed.deliveries if delivery["status"] in WAITING}
        told = [one for one in composed.once if one.delivery_id in goes]
        for identity, at in (await self.repeats.among(told) if told else {}).items():
            day = at.astimezone(self.zone)
            kept_back(goes[identity], Refusal(TOLD_ALREADY, f"the same was told on {day:%Y-%m-%d %H:%M}"))
        return composed.deliveries

    async def _opted_out(self, deliveries: Sequence[DeliveryDocument]) -> None:
        asked = [one for one in deliveries if one.get("suppressible") and one["status"] in WAITING]
        found = await self.suppressions.among({one["recipient"] for one in asked}) if asked else {}
        for delivery in asked if found else ():
            suppression = found.get(delivery["recipient"])
            if suppression is not None:
                kept_back(delivery, Refusal(OPTED_OUT, self.suppressions.why(suppression)))

    def _message(self, notification: NotificationDocument, addressee: Addressee, texts: Texts | None) -> _Message:
        """What one addressee is told, or why nothing."""
        template = notification.get("template")
        if addressee.refusal is not None:
            return _Message("", template, refusal=addressee.refusal)
        by_mail = channel_of(addressee.member) is Channel.EMAIL
        if by_mail and not self.mail_is_on:
            return _Message("", template, refusal=MAIL_IS_OFF)
        try:
            if by_mail:
                mail = self._mail(notification, addressee.member, texts)
                return _Message(mail.text, template or notification["type"], mail.subject)
            whatsapp = None if texts is None else texts.whatsapp
            return _Message(*render_message(notification, addressee.member, whatsapp, zone=self.zone))
        except Unrenderable as error:
            return _Message("", template, refusal=Refusal("REFUSED", f"its text cannot be made: {error}"))

    def _mail(self, notification: NotificationDocument, member: AudienceMember, texts: Texts | None) -> MailText:
        return render_mail(
            NotificationType(notification["type"]),
            data=member.get("data", notification["data"]),
            validity_seconds=notification["validity_seconds"],
            texts=texts,
            zone=self.zone,
        )


def _refusal(message: _Message, route: Sequence[str]) -> Refusal | None:
    text = message.text
    if not text.strip() or message.subject_line == "":
        return Refusal("EMPTY_MESSAGE", "its text is empty" if not text.strip() else "its subject is empty")
    if not route:
        return Refusal("REFUSED", f"{len(text)} characters are more than any provider of its route takes")
    return None
