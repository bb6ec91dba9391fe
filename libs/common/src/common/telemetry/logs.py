"""JSON logs, one event a line, with numbers masked and secrets removed from whatever was said."""

import logging
import re
import sys
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any
from urllib.parse import unquote

import orjson
import structlog

from common.kernel.phone import mask_in_text
from common.telemetry import tracing
from common.telemetry.failures import summary, trace

_concealed: set[str] = set()


def conceal(secrets: Iterable[str]) -> None:
    """Never let any of these values reach a log line of this process.

    Of a list, by commas or lines, every entry is one, of an address its password, as it is written and as it is meant.
    """
    for secret in secrets:
        parts = {secret, *(part.strip() for part in re.split(r"[,\n]", secret)), *_passwords(secret)}
        _concealed.update(part for part in parts if len(part) >= 6)


def clean(text: str) -> str:
    """A text with numbers masked and known secrets removed: for logs, errors and whatever leaves the process."""
    for secret in sorted(_concealed, key=len, reverse=True):
        text = text.replace(secret, "[secret]")
    return mask_in_text(text)


def _passwords(address: str) -> set[str]:
    found = re.match(r"[a-z+]+://[^:@/]*:([^@/]+)@", address)
    return {found[1], unquote(found[1])} if found else set()


def _cleaned(value: Any) -> Any:
    """The value with every text in it clean; a number that is somebody's becomes a masked text."""
    match value:
        case None | bool() | float():
            return value
        case int():
            return value if abs(value) < 2**63 and clean(str(value)) == str(value) else clean(str(value))
        case Mapping():
            return {clean(str(key)): _cleaned(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned(item) for item in value]
        case BaseException():
            return _cleaned(summary(value))
        case _:  # half characters cannot be written
            return clean(str(value)).encode("utf-8", "replace").decode()


def configure_logs(*, service: str, instance: str, level: str = "INFO") -> None:
    """Write JSON lines to standard output; libraries' own logs take the same way."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        stamp,
        structlog.processors.ExceptionRenderer(lambda raised: trace(raised[1])),
        structlog.processors.UnicodeDecoder(),
    ]

    def identify(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        event["instance"] = instance
        return event

    def place(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        context = tracing.current()
        if context is not None:
            event["trace_id"] = context.trace_id
        return event

    def render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
        event.pop("_record", None)
        event.pop("_from_structlog", None)
        return orjson.dumps(_cleaned(event)).decode()

    structlog.configure(
        processors=[*shared, identify, place, render],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*shared, identify, place], processors=[render])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # what libraries say below a warning helps nobody at night


def logger() -> Any:
    """The logger: `log.info("attempt.succeeded", delivery_id=…)`, identifiers and never people."""
    return structlog.get_logger()
