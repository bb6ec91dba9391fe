"""By which channels a notification may go, and why not by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from api_gateway.domain.refusals import Code, Conflicting, invalid
from common.catalogue.definitions import Route
from common.contracts.vocabulary import Channel, NotificationType

MAIL_IS_OFF = "e-mail is switched off: MAIL_HOST is not set"


@dataclass(frozen=True)
class WhyNot:
    code: Code
    error: str


NO_TEXT = WhyNot(Code.NO_EMAIL_TEXT, "there is no e-mail text to send there; give a phone number")


@dataclass(frozen=True)
class Reach:
    """`named`: the channels a request names itself; `no_mail`: why nobody can be told by e-mail."""

    named: Sequence[Channel] | None = None
    no_mail: WhyNot | None = NO_TEXT

    def why_not(self, channel: Channel) -> WhyNot | None:
        """Why a recipient given by its address cannot be told by its channel; `None` when it can."""
        if self.named is not None and channel not in self.named:
            named = ", ".join(self.named)
            return WhyNot(Code.VALIDATION_ERROR, f"goes by {channel}, and the channels of the request are {named}")
        return self.no_mail if channel is Channel.EMAIL else None


@dataclass(frozen=True)
class Channels:
    """How one notification may go: `told` is how somebody is told who is in the directory."""

    told: tuple[Channel, ...]
    reach: Reach
    mail_is_on: bool

    @property
    def working(self) -> tuple[Channel, ...]:
        """Those of them that are set up."""
        return tuple(one for one in self.told if one is not Channel.EMAIL or self.mail_is_on)


def channels_for(
    notification_type: NotificationType,
    route: Route,
    named: tuple[Channel, ...] | None,
    *,
    has_email: bool,
    mail_is_on: bool,
    direct: bool,
) -> Channels:
    """Raises `Refused` for channels nothing could go by. A direct send goes by one: WhatsApp, unless it names it."""
    no_mail = None
    if not has_email:
        what = (
            "a message without a stored template" if notification_type is NotificationType.CUSTOM else notification_type
        )
        no_mail = WhyNot(
            Code.NO_EMAIL_TEXT, f"{what} has no e-mail text; give a phone number, or use a template with one"
        )
    elif not mail_is_on:
        no_mail = WhyNot(Code.CHANNEL_OFF, f"{MAIL_IS_OFF}; give a phone number")
    if named is not None and Channel.EMAIL in named and not has_email:
        raise invalid("channels", f"{notification_type} has no e-mail text, so it goes by whatsapp alone")
    if named == (Channel.EMAIL,) and not mail_is_on:
        raise Conflicting(Code.CHANNEL_OFF, f"{MAIL_IS_OFF}; set it, or send by whatsapp")
    usual = (Channel.WHATSAPP,) if direct or not has_email else route.channels
    told = named or usual
    if direct and len(told) > 1:
        raise invalid("channels", "a direct send goes by one channel")
    return Channels(told, Reach(named, no_mail), mail_is_on)
