"""`kabar` as it is installed: exit codes, pipes, a terminal, Ctrl-C."""

import json
import os
import pty
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.api import Api, wait_until
from tests.support.command_line import PROGRAM, clean, installed, surroundings
from tests.support.stored_deliveries import stored_sender

ESCAPE = "\x1b"
HEEDS_CTRL_C = ("env", "--default-signal=INT")
"""What a shell starts in the background, tests among it, ignores it, and so does what that starts."""


@pytest.fixture(autouse=True)
def one_sender(api: Api) -> None:
    api.rows["senders"].replace_one({"_id": "fonnte-1"}, stored_sender("fonnte-1"), upsert=True)


@contextmanager
def silent_address() -> Iterator[str]:
    """Whatever is asked there is read, and the connection is cut without an answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def cut() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65_536)

        threading.Thread(target=cut, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_without_an_address_or_a_token_it_says_how_to_get_them() -> None:
    told = installed("queue", "status", environment={})
    assert (told.code, told.out) == (2, "")
    assert told.err == (
        "error: KABAR_URL and KABAR_TOKEN are not set; where make up runs: `set -a; . .run/env; set +a`\n"
    )
    told = installed("queue", "status", environment={"KABAR_URL": "here", "KABAR_TOKEN": "x"})
    assert (told.code, told.err) == (2, "error: KABAR_URL: 'here' is no address like http://127.0.0.1:8080\n")
    told = installed("queue", "status", environment={"KABAR_URL": "http://127.0.0.1:1", "KABAR_TOKEN": "x y"})
    assert (told.code, told.err.startswith("error: KABAR_TOKEN: holds what no token")) == (2, True)


def test_nobody_there_is_3_and_a_lost_answer_names_the_key(api: Api) -> None:
    with silent_address() as url:
        told = installed("send", "--to", "6281200000001", "-m", "Halo", "--yes", environment=surroundings(url))
    assert told.code == 3
    assert "error: Kabar does not answer at http://127.0.0.1:" in told.err
    (line,) = [one for one in told.err.splitlines() if one.startswith("Nobody knows")]
    key = line.split("--key ")[1].split(" ")[0]
    arguments = ("send", "--to", "6281200000001", "-m", "Halo", "--yes", "--key", key, "--json")
    first, again = (installed(*arguments, environment=surroundings(api.url)) for _ in range(2))
    assert json.loads(first.out) == json.loads(again.out)


def test_in_a_pipe_there_is_no_colour_no_bar_and_nothing_is_cut(api: Api, tmp_path: Path) -> None:
    environment = {name: value for name, value in surroundings(api.url).items() if name != "COLUMNS"}
    told = installed("monitor", environment=environment)
    assert (told.code, told.err) == (0, "")
    assert ESCAPE not in told.out
    assert "fonnte-1  available  -       closed       -    0/10  0/100  0/500" in told.out
    file = tmp_path / "customers.csv"
    file.write_text("id;name\nC-1;Sari\n")
    told = installed("import", "customers", str(file), environment=environment)
    assert (told.code, told.err) == (0, "")
    told = installed("delivery", "show", "dlv_none", environment=environment)
    assert (told.code, told.out, told.err) == (1, "", "error: there is no delivery dlv_none\n")


def test_on_a_terminal_there_are_colours_unless_they_are_not_wanted(api: Api) -> None:
    colourful = at_a_terminal(("monitor",), {**surroundings(api.url), "TERM": "xterm"})
    plain = at_a_terminal(("monitor",), {**surroundings(api.url), "TERM": "xterm", "NO_COLOR": "1"})
    assert f"{ESCAPE}[32mavailable" in colourful
    assert f"{ESCAPE}[32m" not in plain
    assert "available" in plain


def test_it_is_asked_at_a_terminal_and_answered_there(api: Api) -> None:
    told = at_a_terminal(("queue", "clear"), surroundings(api.url), typed=b"y\n")
    assert "deliveries ended." in told


@pytest.mark.parametrize("arguments", [("monitor", "--watch", "--every", "1"), ("monitor", "--watch", "--json")])
def test_ctrl_c_ends_watching_with_the_last_verdict(api: Api, arguments: tuple[str, ...], tmp_path: Path) -> None:
    output = tmp_path / "out"
    with output.open("wb") as file:
        watching = subprocess.Popen(
            [*HEEDS_CTRL_C, PROGRAM, *arguments],
            env={**clean(), **surroundings(api.url)},
            stdout=file,
            stderr=subprocess.PIPE,
        )
        wait_until(lambda: output.read_text().count("fonnte-1") > 1, "nothing was shown twice")
        watching.send_signal(signal.SIGINT)
        _, err = watching.communicate(timeout=20)
    assert (watching.returncode, err) == (0, b"")
    if "--json" in arguments:
        assert all(json.loads(line)["ok"] for line in output.read_text().splitlines())


def test_ctrl_c_ends_waiting_without_a_traceback(api: Api) -> None:
    arguments = ("send", "--to", "6281200000001", "-m", "Halo", "--yes", "--wait")
    waiting = subprocess.Popen(
        [*HEEDS_CTRL_C, PROGRAM, *arguments],
        env={**clean(), **surroundings(api.url)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert waiting.stderr is not None
    while not waiting.stderr.readline().startswith(b"Accepted as "):
        pass
    waiting.send_signal(signal.SIGINT)
    out, err = waiting.communicate(timeout=20)
    assert (waiting.returncode, out, err) == (130, b"", b"")


def test_a_pipe_that_closes_early_is_no_error(api: Api) -> None:
    told = subprocess.run(
        ["sh", "-c", f"{PROGRAM} monitor --json | head -n 1"], env={**clean(), **surroundings(api.url)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (told.stdout, told.stderr) == ("{\n", "")


def at_a_terminal(arguments: tuple[str, ...], environment: dict[str, str], typed: bytes = b"") -> str:
    """What somebody at a terminal sees."""
    terminal, other_end = pty.openpty()
    process = subprocess.Popen(
        [PROGRAM, *arguments], env={**clean(), **environment}, stdin=other_end, stdout=other_end, stderr=other_end
    )
    os.close(other_end)
    if typed:
        os.write(terminal, typed)
    seen = b""
    while True:
        try:
            seen += os.read(terminal, 65_536)
        except OSError:
            break
    os.close(terminal)
    assert process.wait(20) == 0, seen
    return seen.decode()
