"""Every endpoint of Wablas by its method and path."""

from typing import TYPE_CHECKING

from sandbox.wablas import account, queue, reports
from sandbox.wablas.send import send_batch, send_single
from sandbox.wire.exchange import Answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.wablas.caller import Caller


def send_v2(caller: "Caller") -> Answer:
    return Answer.json(send_batch(caller))


def send_v1(caller: "Caller") -> Answer:
    return Answer.json(send_single(caller))


SENDING = frozenset(["api/v2/send-message", "api/send-message", "api/schedule"])

ENDPOINTS: "dict[tuple[str, str], Callable[[Caller], Answer]]" = {
    ("POST", "api/v2/send-message"): send_v2,
    ("POST", "api/send-message"): send_v1,
    ("GET", "api/send-message"): send_v1,
    ("POST", "api/schedule"): queue.schedule,
    ("PUT", "api/schedule"): queue.change_schedule,
    ("DELETE", "api/schedule"): queue.cancel_schedule,
    ("PUT", "api/schedule-cancel"): queue.cancel_schedule,
    ("GET", "api/cancel-message"): queue.cancel_message,
    ("GET", "api/cancel-all-message"): queue.cancel_all,
    ("GET", "api/report/message"): reports.report,
    ("GET", "api/report-realtime"): reports.report_realtime,
    ("GET", "api/device/info"): account.device_info,
    ("POST", "api/device/speed"): account.device_speed,
    ("GET", "api/device/disconnect"): account.disconnect,
    ("GET", "check-phone-number"): account.check_phone_number,
}


def find_endpoint(method: str, path: str) -> "tuple[Callable[[Caller], Answer], str] | None":
    """The endpoint of that method and path, and what follows it (``api/schedule/ID``), if there is one."""
    endpoint = ENDPOINTS.get((method, path))
    if endpoint is not None:
        return endpoint, ""
    parent, _, rest = path.rpartition("/")
    endpoint = ENDPOINTS.get((method, parent)) if "schedule" in parent else None
    return None if endpoint is None else (endpoint, rest)
