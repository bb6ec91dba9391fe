"""The stack's Prometheus: started, killed, changed and stopped with the rest. Services are stand-ins."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from local_stack.access import Access
from local_stack.cli import watching
from local_stack.leftovers import find_leftovers
from local_stack.ports import Ports, free_port
from local_stack.prometheus import INSTALL, find_prometheus
from local_stack.stack import Stack
from tests.support.catalogue import SERVICE_NAMES
from tests.support.stand_ins import stand_in_stack


@pytest.fixture
def make(tmp_path: Path, rabbitmq_url: str, mongodb_url: str) -> Iterator[Callable[..., Stack]]:
    """Makes the stack of one folder, whose servers run already, with settings it did not have before."""
    others = {"RABBITMQ_URL": rabbitmq_url, "MONGODB_URL": mongodb_url}
    stacks: list[Stack] = []

    def one(**settings: str) -> Stack:
        stacks.append(stand_in_stack(tmp_path / "run", {**others, **settings}, watched=True))
        return stacks[-1]

    yield one
    for stack in stacks:
        stack.down()


def ask(access: Access, path: str) -> Any:
    assert access.prometheus_url is not None
    return httpx.get(f"{access.prometheus_url}{path}", trust_env=False).json()["data"]


def targets(access: Access) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one in ask(access, "/api/v1/targets")["activeTargets"]:
        found.setdefault(one["labels"]["service"], set()).add(one["labels"]["instance"])
    return found


def ready(stack: Stack) -> bool:
    return any(row.ready for row in stack.status() if row.state.name == "prometheus")


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_it_looks_at_every_process_and_its_address_is_told(make: Callable[..., Stack]) -> None:
    stack = make(KABAR_REPLICAS_DISPATCHER="2")
    access = stack.up()
    assert ready(stack)
    assert access.environment()["KABAR_PROMETHEUS_URL"] == access.prometheus_url
    assert f"{access.prometheus_url}/alerts" in watching(access)
    # It takes them up a moment after it is ready.
    eventually(lambda: set(targets(access)) == {*SERVICE_NAMES, "prometheus"})
    ports = Ports(stack.directory / "ports.json")
    one, two = (f"127.0.0.1:{ports[name]}" for name in ("dispatcher-1", "dispatcher-2"))
    assert targets(access)["dispatcher"] == {one, two}
    fewer = make().up()
    assert fewer.prometheus_url == access.prometheus_url
    eventually(lambda: targets(fewer).get("dispatcher") == {one})


def test_it_comes_back_when_it_is_killed_and_goes_with_the_rest(make: Callable[..., Stack]) -> None:
    stack = make()
    stack.up()
    killed = stack.pid("prometheus")
    os.kill(killed, signal.SIGKILL)
    eventually(lambda: stack.pid("prometheus") != killed and ready(stack))
    stack.down()
    assert find_leftovers(stack.directory) == []
    assert (stack.directory / "prometheus" / "data").is_dir()


def test_it_leaves_a_port_to_whoever_has_it(make: Callable[..., Stack]) -> None:
    stack = make()
    stack.directory.mkdir(parents=True)
    with socket.create_server(("127.0.0.1", free_port())) as other:
        taken = other.getsockname()[1]
        Ports(stack.directory / "ports.json").put("prometheus", taken)
        access = stack.up()
        assert access.prometheus_url != f"http://127.0.0.1:{taken}"
        assert ready(stack)


def test_where_it_is_not_installed_it_is_said_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_prometheus() is None
    without = Access("http://127.0.0.1:8080", "token", "amqp://", "mongodb://", sandbox_url=None)
    assert INSTALL in watching(without)
    assert "KABAR_PROMETHEUS_URL" not in without.environment()
