"""Private servers really start, stop, come back with what they stored, and leave nothing behind."""

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from pymongo import MongoClient

from local_stack.leftovers import find_leftovers
from local_stack.ports import NoFreePortError, Ports, free_port, is_free
from local_stack.rabbitmq import speaks_amqp
from local_stack.servers import PrivateMongo, PrivateRabbitMQ, ServerFailedError


def processes_started_in(directory: Path) -> list[str]:
    """The command lines of what still runs out of `directory`."""
    return [
        " ".join(process.info["cmdline"] or ())
        for process in psutil.process_iter(["cmdline", "environ"])
        if (process.info["environ"] or {}).get("KABAR_STARTED_BY") == str(directory)
    ]


def test_a_killed_broker_starts_again_and_stopping_it_leaves_no_port_mapper(tmp_path: Path) -> None:
    with PrivateRabbitMQ(tmp_path) as broker:
        assert psutil.Process(broker.pid).name() == "beam.smp"
        broker.kill()
        assert broker.pid == 0
        broker.start()
        assert speaks_amqp("127.0.0.1", broker.settings.ports.amqp)
        assert len(processes_started_in(tmp_path)) >= 2
    assert processes_started_in(tmp_path) == []


def test_servers_end_with_the_process_that_started_them_even_when_it_is_killed(tmp_path: Path) -> None:
    code = (
        "import sys, threading; from pathlib import Path; from local_stack.servers import PrivateRabbitMQ;"
        # A thread that ends takes nothing with it.
        "one = threading.Thread(target=PrivateRabbitMQ(Path(sys.argv[1])).start); one.start(); one.join();"
        "print('ready', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == b"ready\n"
        servers = find_leftovers(tmp_path)
        assert {"epmd", "beam.smp"} <= {server.name() for server in servers}
        starter.kill()
    _, left = psutil.wait_procs(servers, timeout=10)
    assert left == []
    assert find_leftovers(tmp_path) == []


def test_a_broker_that_does_not_start_leaves_no_port_mapper(tmp_path: Path) -> None:
    broker = PrivateRabbitMQ(tmp_path)
    with (
        socket.create_server(("127.0.0.1", broker.settings.ports.amqp)),
        pytest.raises(ServerFailedError, match="ended at start"),
    ):
        broker.start()
    assert processes_started_in(tmp_path) == []


def test_a_killed_mongod_has_what_was_written_even_when_it_has_to_move_to_another_port(tmp_path: Path) -> None:
    with PrivateMongo(tmp_path) as server:
        with MongoClient[dict[str, Any]](server.url) as client:
            client["kabar"]["rows"].insert_one({"_id": 1})
        server.kill()
        elsewhere = Ports(tmp_path / "ports.json").put("mongodb", free_port())
        with PrivateMongo(tmp_path) as moved:
            assert moved.settings.port == elsewhere
            with MongoClient[dict[str, Any]](moved.url) as client:
                assert client["kabar"]["rows"].find_one() == {"_id": 1}


def test_a_paused_server_does_not_answer_until_it_resumes(mongodb: PrivateMongo) -> None:
    mongodb.pause()
    assert not mongodb.settings.is_ready()
    mongodb.resume()
    mongodb.wait_ready()


def test_servers_listen_on_the_loopback_address_only(rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo) -> None:
    for pid in (rabbitmq.pid, mongodb.pid):
        listening = [
            connection.laddr.ip
            for connection in psutil.Process(pid).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert set(listening) == {"127.0.0.1"}


def test_a_port_is_kept_until_somebody_else_listens_on_it(tmp_path: Path) -> None:
    ports = Ports(tmp_path / "ports.json")
    first = ports.keep("api")
    assert Ports(tmp_path / "ports.json").keep("api") == first
    with socket.create_server(("127.0.0.1", first)):
        assert not is_free(first)
        assert ports.keep("api", running=True) == first
        assert ports.keep("api") != first


def test_no_free_port_is_an_error_and_not_an_endless_search() -> None:
    with pytest.raises(NoFreePortError):
        free_port(frozenset(range(65_536)))
