"""`.env.example` lists every variable somebody reads, once, and no other."""

import re
from collections import Counter

from pydantic_core import PydanticUndefined

from local_stack.services import SERVICES
from tests.support.catalogue import ROOT, SERVICE_NAMES, settings_class, variables

LINE = re.compile(r"^#?([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)
EXAMPLE = (ROOT / ".env.example").read_text()
LISTED = dict(LINE.findall(EXAMPLE))

OF_THE_STACK = {"KABAR_SANDBOX", "KABAR_RUN_DIRECTORY", *(service.replicas_setting for service in SERVICES)}
"""What `make up` reads itself."""
OF_COMPOSE = {
    *("KABAR_RABBITMQ_PASSWORD", "KABAR_GRAFANA_PASSWORD", "KABAR_PROMETHEUS_PORT", "KABAR_GRAFANA_PORT"),
}
OF_THE_SANDBOX = {
    "KABAR_SANDBOX_FONNTE_TOKENS",
    "KABAR_SANDBOX_FONNTE_ACCOUNT_TOKEN",
    "KABAR_SANDBOX_WABLAS_TOKENS",
    "KABAR_SANDBOX_MAIL_PORT",
    "KABAR_SANDBOX_RECIPIENT_FAULTS",
}
KEPT_NAMES = {"WHATSAPP_SENDER"}
"""Names that installations have set for long and that may stay where they are."""
READ = set().union(*(variables(name) for name in SERVICE_NAMES))


def test_every_variable_a_service_reads_is_listed() -> None:
    assert not READ - set(LISTED)


def test_every_listed_variable_is_read_by_somebody() -> None:
    assert not set(LISTED) - READ - OF_THE_STACK - OF_COMPOSE - OF_THE_SANDBOX - KEPT_NAMES


def test_what_nothing_reads_stands_under_a_heading_that_says_so() -> None:
    before, heading, after = EXAMPLE.partition("# --- Not read yet ---")
    assert heading
    assert {name for name, _ in LINE.findall(after)} == KEPT_NAMES
    assert not KEPT_NAMES & {name for name, _ in LINE.findall(before)}


def test_no_variable_is_listed_twice() -> None:
    assert max(Counter(name for name, _ in LINE.findall(EXAMPLE)).values()) == 1


def test_the_value_shown_is_the_default() -> None:
    shown_only = {"RABBITMQ_URL", "MONGODB_URL", "FONNTE_API_URL", "WABLAS_API_URL", "KABAR_INSTANCE"}
    for service in SERVICE_NAMES:
        for field in settings_class(service).model_fields.values():
            alias = str(field.validation_alias)
            if field.default in (None, PydanticUndefined) or alias in shown_only:
                continue
            assert str(field.default).removesuffix(".0").lower() == LISTED[alias].removesuffix(".0").lower(), alias


def test_nothing_in_it_is_set_so_that_copying_it_changes_nothing() -> None:
    assert all(line.startswith("#") for line in EXAMPLE.splitlines() if line.strip())
