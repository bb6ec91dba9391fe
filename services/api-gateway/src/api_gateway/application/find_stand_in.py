"""Who is told of an alert where no administrator of the directory can be."""

from api_gateway.application.catalogue_ports import Administrators
from api_gateway.domain.channels import Channels
from api_gateway.domain.refusals import Code, Problem, Unreachable
from common.contracts.vocabulary import Channel, NotificationType

ALERTS = frozenset({NotificationType.SYSTEM_ALERT, NotificationType.QUOTA_ALERT})
NOBODY = (
    "no administrator of the directory can be told, for want of an address or because they opted out, "
    "and ADMIN_WHATSAPP_NUMBER cannot be told either"
)


async def find_stand_in(administrators: Administrators, channels: Channels, *, suppressible: bool) -> str | None:
    """The number that is told besides; `None` where an administrator can be. Raises `Unreachable` when nobody is left:
    an alert that would only ever be suppressed tells whoever asked for it that nobody gets it.
    """
    reach, by_phone = await administrators.reachable(suppressible=suppressible), Channel.WHATSAPP in channels.working
    if by_phone and reach.by_phone:
        return None
    if by_phone and reach.number:
        return reach.number
    if Channel.EMAIL in channels.working and reach.by_email:
        return None
    raise Unreachable(Code.NO_RECIPIENT, f"to: {NOBODY}", [Problem("to", NOBODY)])
