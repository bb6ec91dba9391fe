"""JSON logs, one event a line, with numbers masked and secrets removed from whatever was said."""

import logging
import sys
from collections.abc import Iterable, MutableMapping
from typing import Any

import orjson
import structlog

from common.kernel.phone import mask_in_text

_concealed: set[str] = set()


def conceal(secrets: Iterable[str]) -> None:
    """Never let any of these values reach a log line of this process."""
    _concealed.update(secret for secret in secrets if len(secret) >= 6)


def clean(text: str) -> str:
    """A text with numbers masked and known secrets removed: for logs, errors and whatever leaves the process."""
    for secret in _concealed:
        text = text.replace(secret, "[secret]")
    return mask_in_text(text)


def configure_logs(*, service: str, instance: str, level: str = "INFO") -> None:
    """Write JSON lines to standard output; libraries' own logs take the same way."""
    stamp = structlog.processors.TimeStamper(fmt="iso", utc=True)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        stamp,
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
    ]

    def identify(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        event["instance"] = instance
        return event

    def render(_: Any, __: str, event: MutableMapping[str, Any]) -> str:
        event.pop("_record", None)
        event.pop("_from_structlog", None)
        return clean(orjson.dumps(event, default=str).decode())

    structlog.configure(
        processors=[*shared, identify, render],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level)),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*shared, identify], processors=[render])
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)  # what libraries say below a warning helps nobody at night


def logger() -> Any:
    """The logger: `log.info("attempt.succeeded", delivery_id=…)`, identifiers and never people."""
    return structlog.get_logger()
