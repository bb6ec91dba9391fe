"""What an operator may make of a route."""

from api_gateway.domain.refusals import invalid
from common.catalogue.definitions import Route
from common.contracts.vocabulary import Channel, NotificationType


def check_route(notification_type: NotificationType, route: Route, *, has_email: bool) -> None:
    """Raise `Refused` for a route nothing could go by."""
    if Channel.WHATSAPP not in route.channels:
        raise invalid("channels", "must contain whatsapp")
    if Channel.EMAIL in route.channels and not has_email:
        raise invalid("channels", f"the template of {notification_type} has no e-mail text; publish one first")
