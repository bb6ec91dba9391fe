"""What every test may ask for, and which tests run alone."""

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
ALONE = {"e2e", "chaos", "load"}


def pytest_configure() -> None:
    """Two processes of one run never choose the same port, not even at the same instant."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    ports.RANGE = ports.RANGE[worker::workers]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(HERE).parts[0] in ALONE:
            item.add_marker("alone")
