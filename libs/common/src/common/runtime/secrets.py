"""Secrets that are replaced while a service runs."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic, TypeVar

from prometheus_client import CollectorRegistry, Gauge
from pydantic import ValidationError

from common.config.secret_files import read_secrets, secrets_among
from common.config.settings import ServiceSettings, named_problems
from common.runtime.loops import repeatedly
from common.runtime.process import Loop
from common.telemetry.logs import conceal, logger

LOOK_SECONDS = 1.0
GONE = "its file is gone or empty; to do without it, start anew"
READ_AT_START = frozenset(secrets_among(ServiceSettings))
"""Where the servers are; a connection that stands knows no other login."""
S = TypeVar("S", bound=ServiceSettings)
log = logger()


def following(settings: S, renew: Callable[[S], None], registry: CollectorRegistry) -> list[Loop]:
    """The loop that gives `renew` the settings anew whenever a secret's file changed; none where secrets have none."""
    follow = FollowSecrets(settings, renew, registry)  # its figures are there either way: what is asked for is answered
    if settings.secrets_directory is None:
        return []
    return [partial(repeatedly, follow.look, name="secrets", every=LOOK_SECONDS)]


class FollowSecrets(Generic[S]):
    """What cannot be used is said, and changes nothing: the secrets that were good stay."""

    def __init__(self, settings: S, renew: Callable[[S], None], registry: CollectorRegistry) -> None:
        self._settings = type(settings)
        self._renew = renew
        self._taken = _secrets(settings)
        found = self._find()
        self._in_files = set(found) if isinstance(found, Mapping) else set()
        self._last: object = None
        self._judged: object = None
        self._refused = Gauge(
            "secret_refused", "Whether a secret's file cannot be used and the former content is.", ["setting"],
            registry=registry,
        )  # fmt: skip
        self._taken_at = Gauge(
            "secret_taken_timestamp_seconds", "When a changed secret was taken.", ["setting"], registry=registry
        )
        self._refuse([])

    async def look(self) -> None:
        """Take what changed, once two looks found the same: nobody may be cut off by half a file."""
        found = self._find()
        settled, self._last = found == self._last, found
        if not settled or found == self._judged:
            return
        if isinstance(found, Mapping):
            self._refuse([])
            self._take(found)
        else:
            self._refuse(found)
        self._judged = found

    def _find(self) -> dict[str, str] | list[tuple[str, str]]:
        """What the files hold, or why they cannot be used."""
        try:
            return read_secrets(self._settings)
        except ValidationError as error:
            return named_problems(error)

    def _take(self, found: Mapping[str, str]) -> None:
        if gone := sorted(self._in_files - set(found)):
            self._refuse([(name, GONE) for name in gone])
            return
        try:
            settings = self._settings()
        except ValidationError as error:
            self._refuse(named_problems(error))
            return
        self._in_files = set(found)
        secrets = _secrets(settings)
        changed = sorted(name for name, value in secrets.items() if value != self._taken.get(name))
        if not changed:
            return
        conceal(settings.secrets())
        self._renew(settings)
        self._taken = secrets
        for name in changed:
            if name in READ_AT_START:
                log.warning("secret.changed", setting=name, advice="it is read at start alone: restart this service")
                continue
            log.info("secret.taken", setting=name)
            self._taken_at.labels(name).set(time.time())

    def _refuse(self, problems: list[tuple[str, str]]) -> None:
        """These and no others."""
        self._refused.clear()
        for name in self._taken:
            self._refused.labels(name).set(0)
        for name, why in problems:
            self._refused.labels(name).set(1)
            log.error("secret.refused", setting=name, error=why)


def _secrets(settings: ServiceSettings) -> dict[str, object]:
    """Every secret by the name of its setting."""
    return {name: getattr(settings, inside) for name, inside in secrets_among(type(settings)).items()}
