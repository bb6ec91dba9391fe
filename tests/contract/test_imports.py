"""The rules of who may import whom hold, and each of them is seen to break."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogue import ROOT

PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = [contract["id"] for contract in PYPROJECT["tool"]["importlinter"]["contracts"]]

VIOLATIONS = {
    "services-never-import-each-other": ("dispatcher/domain/breach.py", "import scheduler.wiring"),
    "services-share-only-libs": ("gateway/domain/breach.py", "import dispatcher.domain"),
    "common-knows-no-other-lib": ("common/kernel/breach.py", "import gateway.domain"),
    "the-client-stands-alone": ("kabar_client/breach.py", "import common.contracts.event"),
    "the-command-line-is-a-client-like-any-other": ("kabar_cli/breach.py", "import common.kernel.phone"),
    "the-real-thing-knows-no-sandbox": ("dispatcher/adapters/breach.py", "import sandbox.ledger"),
    "inside-a-service": ("dispatcher/helpers.py", ""),
    "inside-common": ("common/kernel/breach.py", "import common.contracts.event"),
    "domain-and-kernel-are-plain-python": ("common/kernel/breach.py", "import pydantic"),
    "of-common-a-domain-knows-the-words": ("dispatcher/domain/breach.py", "import common.mongo.connection"),
    "application-reaches-the-world-through-ports": ("dispatcher/application/breach.py", "import httpx"),
    "only-messaging-touches-the-amqp-driver": ("dispatcher/adapters/breach.py", "import aio_pika"),
    "only-mongo-touches-the-mongodb-driver": ("common/messaging/breach.py", "import pymongo"),
}
MORE_VIOLATIONS = [
    ("inside-a-service", "dispatcher/domain/breach.py", "import dispatcher.application"),
    ("inside-a-service", "api_gateway/adapters/breach.py", "import api_gateway.entrypoints"),
    ("inside-a-service", "gateway/application/breach.py", "import gateway.settings"),
    ("inside-common", "common/helpers.py", ""),
    ("inside-common", "common/mongo/breach.py", "import common.messaging.broker"),
    ("inside-common", "common/rendering/breach.py", "import common.telemetry.logs"),
    ("domain-and-kernel-are-plain-python", "dispatcher/domain/breach.py", "import structlog"),
    ("only-messaging-touches-the-amqp-driver", "common/runtime/breach.py", "import aiormq"),
    ("only-mongo-touches-the-mongodb-driver", "dispatcher/application/breach.py", "from bson import ObjectId"),
]


def packages() -> dict[str, Path]:
    return {path.name: path for folder in ("libs", "services", "deploy") for path in (ROOT / folder).glob("*/src/*")}


@pytest.fixture(scope="module")
def copied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every package beside the others, to be spoilt."""
    folder = tmp_path_factory.mktemp("copied")
    for name, path in packages().items():
        shutil.copytree(path, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def broken(folder: Path, contract: str | None = None) -> tuple[bool, str]:
    """Whether a contract (or any) is broken there, and what the linter says."""
    chosen = ["--contract", contract] if contract else []
    script = (
        f"import sys; sys.path[:] = [{str(folder)!r}, *sys.path]; from importlinter.cli import lint_imports_command; "
    )
    ran = subprocess.run(
        [sys.executable, "-c", f"{script}lint_imports_command()", "--no-cache", "--no-logo", *chosen],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        check=False,
    )
    return "BROKEN" in ran.stdout, ran.stdout + ran.stderr


def test_every_contract_is_kept(copied: Path) -> None:
    found, said = broken(copied)
    assert not found, said
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in said


@pytest.mark.parametrize(
    ("contract", "module", "line"),
    [*((contract, *violation) for contract, violation in VIOLATIONS.items()), *MORE_VIOLATIONS],
)
def test_a_contract_breaks_when_it_is_violated(copied: Path, contract: str, module: str, line: str) -> None:
    breach = copied / module
    breach.write_text(f"{line}\n")
    try:
        found, said = broken(copied, contract)
    finally:
        breach.unlink()
    assert found, said


def test_every_contract_has_its_violation() -> None:
    assert set(VIOLATIONS) == set(CONTRACTS)


def test_every_package_of_the_workspace_is_watched() -> None:
    assert set(PYPROJECT["tool"]["importlinter"]["root_packages"]) == set(packages())


def test_every_domain_is_plain_python() -> None:
    (contract,) = [
        contract
        for contract in PYPROJECT["tool"]["importlinter"]["contracts"]
        if contract["id"] == "domain-and-kernel-are-plain-python"
    ]
    domains = {f"{name}.domain" for name, path in packages().items() if (path / "domain").exists()}
    assert domains | {"common.kernel"} == set(contract["source_modules"])
