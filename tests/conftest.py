"""What every test may ask for, and which tests run beside how many others."""

import os
from pathlib import Path

import pytest

from local_stack import ports

pytest_plugins = [
    "tests.support.servers",
    "tests.support.api",
    "tests.support.pages",
    "tests.support.dispatching.fixtures",
]
HERE = Path(__file__).parent
ALONE = (
    "chaos",
    "e2e/test_alerts.py",
    "e2e/test_main_line.py",
    "integration/gateways/test_gateway_slots.py",
    "load/test_backlog.py",
    "load/test_webhooks.py",
)
PAIRED = ("e2e",)


def pytest_configure() -> None:
    """Two processes of one run never choose the same port, not even at the same instant."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports.RANGE = ports.RANGE[worker::workers]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # The longest first, so that nobody waits for them at the end.
    items.sort(key=lambda item: item.path.parent.name != "load")
    for item in items:
        name = item.path.relative_to(HERE).as_posix()
        if name.startswith(ALONE):
            item.add_marker("alone")
        elif name.startswith(PAIRED):
            item.add_marker("paired")
