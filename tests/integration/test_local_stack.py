"""The stack with its real servers: started, killed piece by piece, changed, stopped. Services are stand-ins."""

import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import psutil
import pytest
from pymongo import MongoClient

from local_stack.access import Access
from local_stack.layout import PortTakenError
from local_stack.leftovers import find_leftovers
from local_stack.ports import free_port
from local_stack.reach import UnreachableError
from local_stack.readiness import NotReadyError
from local_stack.settings import SettingsError
from local_stack.stack import Stack
from local_stack.supervisor import State
from tests.support.stand_ins import CRASHING, SERVICES, SERVICES_WITH_A_CRASHING_ONE, stand_in_stack

SETTINGS = {"KABAR_REPLICAS_DISPATCHER": "2", "KABAR_REPLICAS_API_GATEWAY": "2"}
EVERYTHING = {
    *("rabbitmq", "mongodb", "epmd", "sandbox-1", "api-gateway-1", "api-gateway-2", "dispatcher-1", "dispatcher-2"),
    *("scheduler-1", "gateway-fonnte-1", "gateway-wablas-1", "gateway-email-1"),
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stack")


@pytest.fixture(scope="module")
def stack(directory: Path) -> Iterator[Stack]:
    stack = stand_in_stack(directory, SETTINGS)
    yield stack
    stack.down()


@pytest.fixture(scope="module")
def access(stack: Stack) -> Access:
    return stack.up()


@pytest.fixture
def others(rabbitmq_url: str, mongodb_url: str) -> dict[str, str]:
    """Settings that name servers which the stack did not start."""
    return {"RABBITMQ_URL": rabbitmq_url, "MONGODB_URL": mongodb_url}


@pytest.fixture
def small(tmp_path: Path, others: dict[str, str]) -> Iterator[Callable[..., Stack]]:
    """Makes stacks that start in a moment, because their servers run already."""
    stacks: list[Stack] = []

    def make(values: dict[str, str] | None = None, **rest: Any) -> Stack:
        stacks.append(stand_in_stack(tmp_path / "run", {**others, **(values or {})}, **rest))
        return stacks[-1]

    yield make
    for stack in stacks:
        stack.down()


def pid_in(directory: Path, name: str) -> int:
    return int((directory / f"{name}.pid").read_text())


def environment_of(port: int) -> dict[str, str]:
    answer: dict[str, str] = httpx.get(f"http://127.0.0.1:{port}/environment").json()
    return answer


def eventually(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@pytest.mark.usefixtures("access")
def test_every_process_is_ready_and_its_file_holds_its_id(stack: Stack, directory: Path) -> None:
    rows = {row.state.name: row for row in stack.status()}
    assert set(rows) == EVERYTHING
    for name, row in rows.items():
        assert row.ready, name
        assert pid_in(directory, name) == row.state.pid
    assert psutil.Process(pid_in(directory, "rabbitmq")).name() == "beam.smp"
    assert psutil.Process(pid_in(directory, "mongodb")).name() == "mongod"


def test_the_env_file_is_private_and_lets_a_shell_reach_everything(access: Access, directory: Path) -> None:
    path = directory / "env"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    printed = subprocess.run(
        ["sh", "-c", f"set -a; . {path}; env"], check=True, capture_output=True, text=True, env={}
    ).stdout
    for name, value in access.environment().items():
        assert f"{name}={value}\n" in printed


def test_the_token_is_an_admins_and_signed_with_the_secret_the_services_have(access: Access) -> None:
    secret = environment_of(httpx.URL(access.url).port or 0)["KABAR_JWT_SECRET"]
    claims = jwt.decode(access.token, secret, algorithms=["HS256"], options={"require": ["sub", "role", "exp"]})
    assert claims["role"] == "admin"


def test_without_tokens_both_providers_are_the_sandbox_and_there_are_people(stack: Stack, access: Access) -> None:
    fonnte = next(row for row in stack.status() if row.state.name == "gateway-fonnte-1")
    environment = environment_of(fonnte.port)
    assert environment["FONNTE_API_TOKEN"] == "sandbox-fonnte-token"
    assert environment["FONNTE_API_URL"] == f"{access.sandbox_url}/fonnte/send"
    assert environment["WABLAS_API_URL"] == f"{access.sandbox_url}/wablas"
    client: MongoClient[dict[str, Any]] = MongoClient(access.mongodb_url)
    with client:
        people = client.get_default_database()
        numbers = [person["phone"] for name in ("customers", "technicians", "staff") for person in people[name].find()]
    assert len(numbers) >= 10
    assert all(number.startswith("62812000000") for number in numbers)


@pytest.mark.usefixtures("access")
def test_a_second_start_changes_nothing(stack: Stack) -> None:
    before = stack.supervisor.states()
    stack.up()
    assert stack.supervisor.states() == before


@pytest.mark.usefixtures("access")
def test_a_setting_that_cannot_be_used_leaves_what_runs_as_it_is(stack: Stack, directory: Path) -> None:
    before = stack.supervisor.states()
    with pytest.raises(SettingsError, match="WHATSAPP_QUEUE_DELAY is 'abc'"):
        stand_in_stack(directory, {**SETTINGS, "WHATSAPP_QUEUE_DELAY": "abc"}).up()
    assert stack.supervisor.states() == before
    assert all(row.ready for row in stack.status())


@pytest.mark.usefixtures("access")
def test_one_more_replica_is_started_beside_the_others_and_leaves_again(stack: Stack, directory: Path) -> None:
    before = stack.supervisor.states()
    stand_in_stack(directory, {**SETTINGS, "KABAR_REPLICAS_DISPATCHER": "3"}).up()
    after = stack.supervisor.states()
    assert after.pop("dispatcher-3").running
    assert after == before
    stack.up()
    assert stack.supervisor.states() == before


def test_a_shell_that_read_the_env_file_still_starts_the_same_stack(
    stack: Stack, access: Access, directory: Path
) -> None:
    before = stack.supervisor.states()
    stand_in_stack(directory, {**SETTINGS, **access.environment()}).up()
    assert stack.supervisor.states() == before


@pytest.mark.usefixtures("access")
def test_whatever_is_killed_is_back_within_two_seconds_and_usable_soon(stack: Stack, directory: Path) -> None:
    killed = {name: pid_in(directory, name) for name in ("mongodb", "rabbitmq", "epmd", "dispatcher-2", "sandbox-1")}
    for pid in killed.values():
        os.kill(pid, signal.SIGKILL)

    def is_back(name: str) -> bool:
        return pid_in(directory, name) != killed[name] and psutil.pid_exists(pid_in(directory, name))

    assert eventually(lambda: all(is_back(name) for name in killed), seconds=2)
    stack.up()
    assert all(row.ready for row in stack.status())


def test_a_changed_setting_restarts_the_services_and_neither_server_nor_what_it_stores(
    stack: Stack, access: Access, directory: Path
) -> None:
    client: MongoClient[dict[str, Any]] = MongoClient(access.mongodb_url)
    with client:
        client.get_default_database()["rows"].insert_one({"_id": "kept"})
    before = stack.supervisor.states()
    stand_in_stack(directory, {"WHATSAPP_QUEUE_DELAY": "3"}).up()
    after = stack.supervisor.states()
    assert set(after) == EVERYTHING - {"dispatcher-2", "api-gateway-2"}
    assert {name for name in after if after[name].pid == before[name].pid} == {"rabbitmq", "mongodb", "epmd"}
    assert environment_of(httpx.URL(access.url).port or 0)["WHATSAPP_QUEUE_DELAY"] == "3"
    client = MongoClient(access.mongodb_url)
    with client:
        assert client.get_default_database()["rows"].find_one() == {"_id": "kept"}


@pytest.mark.usefixtures("access")
def test_after_down_no_process_is_left_even_when_the_supervisor_was_killed(stack: Stack, directory: Path) -> None:
    os.kill(int((directory / "supervisord.pid").read_text()), signal.SIGKILL)
    assert eventually(lambda: not stack.supervisor.is_running(), seconds=2)
    assert find_leftovers(directory) != []
    stack.down()
    assert find_leftovers(directory) == []
    assert list(directory.glob("*.pid")) == []
    assert not (directory / "env").exists()


def test_servers_named_by_a_setting_are_used_and_outlive_the_stack(
    small: Callable[..., Stack], others: dict[str, str], rabbitmq: Any, mongodb: Any
) -> None:
    pids = rabbitmq.pid, mongodb.pid
    stack = small()
    access = stack.up()
    assert {row.state.name for row in stack.status()} == EVERYTHING - {
        *("rabbitmq", "mongodb", "epmd", "dispatcher-2", "api-gateway-2")
    }
    assert environment_of(httpx.URL(access.url).port or 0)["RABBITMQ_URL"] == others["RABBITMQ_URL"]
    stack.down()
    assert (rabbitmq.pid, mongodb.pid) == pids
    assert rabbitmq.settings.is_ready()
    assert mongodb.settings.is_ready()


def test_values_reach_the_services_as_they_are(small: Callable[..., Stack]) -> None:
    odd = "50% of 'it' is \"quoted\" $HOME `x` %(here)s \\ ; é"
    access = small({"MAIL_FROM_NAME": odd}).up()
    assert environment_of(httpx.URL(access.url).port or 0)["MAIL_FROM_NAME"] == odd


def test_with_a_token_of_one_provider_nothing_is_simulated(small: Callable[..., Stack]) -> None:
    stack = small({"FONNTE_API_TOKEN": "an-operators"})
    access = stack.up()
    environment = environment_of(httpx.URL(access.url).port or 0)
    assert access.sandbox_url is None
    assert "sandbox-1" not in stack.supervisor.states()
    assert environment["FONNTE_API_TOKEN"] == "an-operators"
    assert "WABLAS_API_TOKEN" not in environment
    assert "FONNTE_API_URL" not in environment


def test_a_service_that_keeps_ending_is_named_with_its_last_words_and_left_stopped(
    small: Callable[..., Stack],
) -> None:
    stack = small(services=SERVICES_WITH_A_CRASHING_ONE)
    with pytest.raises(NotReadyError, match=r"(?s)dispatcher-1 keeps ending at start.*cannot start: no luck.*log"):
        stack.up()
    states: dict[str, State] = stack.supervisor.states()
    assert not states["dispatcher-1"].running
    assert states["scheduler-1"].running
    assert CRASHING not in SERVICES


def test_a_taken_public_port_is_refused_by_number_and_setting_before_anything_starts(
    small: Callable[..., Stack],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        stack = small({"KABAR_HTTP_PORT": str(port)})
        with pytest.raises(
            PortTakenError, match=rf"port {port} \(KABAR_HTTP_PORT\) is taken by .*process {os.getpid()}"
        ):
            stack.up()
    assert not stack.supervisor.is_running()


def test_a_taken_usual_port_is_left_alone_and_another_one_chosen(small: Callable[..., Stack]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        access = small(preferred_port=port).up()
        assert httpx.URL(access.url).port != port


def test_the_public_port_is_the_one_that_was_set(small: Callable[..., Stack]) -> None:
    port = free_port()
    assert small({"KABAR_HTTP_PORT": str(port)}).up().url == f"http://127.0.0.1:{port}"


def test_an_address_nobody_answers_at_is_refused_without_its_password(tmp_path: Path) -> None:
    url = f"amqp://kabar:hidden@127.0.0.1:{free_port()}/"
    with pytest.raises(UnreachableError, match="RABBITMQ_URL") as refusal:
        stand_in_stack(tmp_path, {"RABBITMQ_URL": url}).up()
    assert "hidden" not in str(refusal.value)


def test_a_directory_with_a_long_and_odd_name_works(tmp_path: Path, others: dict[str, str]) -> None:
    stack = stand_in_stack(tmp_path / "with spaces, 100% and quote's" / ("long" * 30), others)
    try:
        stack.up()
        assert all(row.ready for row in stack.status())
    finally:
        stack.remove()
    assert not stack.directory.exists()
