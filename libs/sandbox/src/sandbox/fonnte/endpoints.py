"""Every endpoint of Fonnte by its path."""

from typing import TYPE_CHECKING, Any

from sandbox.fonnte import account, groups, messages
from sandbox.fonnte.send import send

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.fonnte.caller import Caller


ENDPOINTS: "dict[str, Callable[[Caller], dict[str, Any]]]" = {
    "send": send,
    "validate": messages.validate,
    "status": messages.status,
    "delete-message": messages.delete_message,
    "reset-message": messages.reset_message,
    "typing": messages.typing,
    "device": account.device,
    "get-devices": account.get_devices,
    "qr": account.qr,
    "disconnect": account.disconnect,
    "fetch-group": groups.fetch_group,
    "get-whatsapp-group": groups.get_whatsapp_group,
}
