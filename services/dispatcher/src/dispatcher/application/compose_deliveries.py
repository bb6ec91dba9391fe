"""Make the deliveries of notifications: rendered, and kept back where somebody is not to get them."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from common.contracts.documents import DeliveryDocument, NotificationDocument
from common.contracts.vocabulary import OPTED_OUT, WAITING
from common.rendering.failures import Unrenderable
from common.rendering.messages import render_message
from dispatcher.application.lookout import Lookout
from dispatcher.application.ports import Repeats, Suppressions, Templates
from dispatcher.domain.audience import Addressee, Refusal
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import TOLD_ALREADY, kept_back, plan_delivery
from dispatcher.domain.repeats import OnlyOnce, only_once

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


def nothing() -> Composed:
    return Composed([], [])


@dataclass(frozen=True)
class ComposeDeliveries:
    templates: Templates
    suppressions: Suppressions
    repeats: Repeats
    lookout: Lookout
    zone: tzinfo

    async def __call__(
        self, notification: NotificationDocument, addressees: Sequence[Addressee], *, first: int
    ) -> Composed:
        """Each with its text and its place, from `first` on; one for all that have the same number."""
        template = await self._template(notification)
        now = self.lookout.now()
        leaves = departure(notification, now, self.zone)
        limits = {provider: self.lookout.text_limit(provider) for provider in notification["providers"]}
        made: dict[str, DeliveryDocument] = {}
        told: list[OnlyOnce] = []
        for position, addressee in enumerate(addressees, start=first):
            if position > first and (position - first) % AT_A_TIME == 0:
                await asyncio.sleep(0)
            text, name, refusal = self._text(notification, addressee, template)
            # Without a text or a number no provider can ever carry it, whoever wants it tried again.
            fits = [provider for provider, longest in limits.items() if longest is None or len(text) <= longest]
            route = fits if text.strip() else []
            delivery = plan_delivery(
                notification,
                addressee.member,
                position=position,
                text=text,
                template=name,
                route=route,
                refusal=refusal or _refusal(text, route),
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

    async def _template(self, notification: NotificationDocument) -> str | None:
        identity = notification.get("template")
        return None if not identity else (await self.templates.get(identity))["whatsapp"]

    def _text(
        self, notification: NotificationDocument, addressee: Addressee, template: str | None
    ) -> tuple[str, str | None, Refusal | None]:
        """The text for one addressee and the template it comes from, or why there is none."""
        if addressee.refusal is not None:
            return "", notification.get("template"), addressee.refusal
        try:
            text, name = render_message(notification, addressee.member, template, zone=self.zone)
        except Unrenderable as error:
            return "", notification.get("template"), Refusal("REFUSED", f"its text cannot be made: {error}")
        return text, name, None


def _refusal(text: str, route: Sequence[str]) -> Refusal | None:
    if not text.strip():
        return Refusal("EMPTY_MESSAGE", "its text is empty")
    if not route:
        return Refusal("REFUSED", f"{len(text)} characters are more than any provider of its route takes")
    return None
