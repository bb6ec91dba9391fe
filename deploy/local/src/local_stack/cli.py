"""What the Makefile calls: `python -m local_stack up|down|status|logs|demo|clean`."""

import argparse
import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from local_stack import demo
from local_stack.access import Access
from local_stack.layout import PortTakenError
from local_stack.logs import follow
from local_stack.plan import mails_to_sandbox
from local_stack.ports import NoFreePortError, Ports
from local_stack.prometheus import INSTALL
from local_stack.rabbitmq import NotInstalledError, RabbitMQ, RabbitMQPorts
from local_stack.reach import UnreachableError
from local_stack.readiness import NotReadyError
from local_stack.settings import SettingsError, read_surroundings
from local_stack.stack import SERVERS, TREE, Stack, Status
from local_stack.supervisor import SupervisorFailedError
from local_stack.webhooks import tell_sandbox, webhook_addresses

_USUAL_PORT = 8080
_FAILURES = (
    *(SettingsError, PortTakenError, NoFreePortError, UnreachableError),
    *(NotInstalledError, NotReadyError, SupervisorFailedError),
)


def main(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    commands: dict[str, Callable[[Stack, str], int]] = {
        "up": lambda stack, _: _up(stack),
        "down": lambda stack, _: _down(stack),
        "status": lambda stack, _: _status(stack),
        "logs": _logs,
        "demo": lambda stack, _: demo.run(stack.up()),
        "clean": lambda stack, _: _clean(stack),
    }
    parser = argparse.ArgumentParser(prog="local_stack", description="All of Kabar on this machine.")
    parser.add_argument("command", choices=commands)
    parser.add_argument("--service", default="", help="logs: of this service or server only")
    chosen = parser.parse_args(arguments)
    try:
        return commands[chosen.command](_stack(), chosen.service)
    except _FAILURES as failure:
        sys.stderr.write(f"error: {failure}\n")
        return 1
    except KeyboardInterrupt:
        return 130


def _stack() -> Stack:
    values = read_surroundings(TREE, os.environ)
    directory = TREE / values.get("KABAR_RUN_DIRECTORY", ".run")
    return Stack(directory, values, preferred_port=_USUAL_PORT, watched=True)


def _say(text: str = "") -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _shown(path: Path) -> str:
    """The path as somebody standing in the tree would type it."""
    return str(path.relative_to(TREE)) if path.is_relative_to(TREE) else str(path)


def _up(stack: Stack) -> int:
    begin = time.monotonic()
    _say("Starting Kabar ...")
    access = stack.up()
    addresses = webhook_addresses(access, read_surroundings(TREE, os.environ).get("KABAR_WEBHOOK_SECRET"))
    if access.sandbox_url is not None:
        tell_sandbox(access.sandbox_url, addresses)
    _say(_welcome(access, time.monotonic() - begin, _shown(stack.directory / "env"), addresses))
    return 0


def _welcome(access: Access, seconds: float, environment_file: str, webhooks: Mapping[str, str]) -> str:
    lines = [f"Kabar is up after {seconds:.1f} s: {access.url}"]
    if not access.url.endswith(f":{_USUAL_PORT}") and "KABAR_HTTP_PORT" not in read_surroundings(TREE, os.environ):
        lines.append(f"Port {_USUAL_PORT} is taken by another program; KABAR_HTTP_PORT chooses one.")
    if access.sandbox_url is not None:
        lines.append("Messages go to the sandbox and reach nobody; with a provider's token in .env they are sent.")
        if mails_to_sandbox(read_surroundings(TREE, os.environ)):
            lines.append(f"So do e-mails, unless MAIL_HOST is set: {access.sandbox_url}/mail/messages")
        else:
            lines.append("E-mails do go out, by MAIL_HOST.")
    # Nobody's real telephone may ring because of a pasted example.
    recipient = "6281200000001" if access.sandbox_url is not None else "YOUR-NUMBER"
    signs_in = "with your account" if access.page_password is None else f"as admin with {access.page_password}"
    lines += [
        *("", f"Admin page; sign in {signs_in}:", f"  {access.url}/admin/whatsapp-queue"),
        *("", "Admin token, valid for 30 days:", f"  {access.token}"),
        *("", "Send a message:"),
        f"  curl -s -X POST {access.url}/api/notifications \\",
        f"    -H 'Authorization: Bearer {access.token}' \\",
        "    -H 'Content-Type: application/json' \\",
        f"""    -d '{{"type":"custom","to":["{recipient}"],"message":"Halo dari Kabar"}}'""",
        *("", "See what became of it, with the notification_id from the answer:"),
        f"  set -a; . {environment_file}; set +a",
        '  curl -s "$KABAR_URL/api/deliveries?notification_id=..." -H "Authorization: Bearer $KABAR_TOKEN"',
        *("", "The same at the command line, and whether all is well:"),
        f"""  .venv/bin/kabar send --to {recipient} --message "Halo dari Kabar" --wait""",
        "  .venv/bin/kabar monitor",
        *("", "Where providers are to post their webhooks:"),
        *(f"  {name:<6} {address}" for name, address in webhooks.items()),
        *("", watching(access)),
        *("", "make status | make logs | make demo | make down"),
    ]
    return "\n".join(lines)


def watching(access: Access) -> str:
    """Where to look at figures and alerts, or what that needs."""
    if access.prometheus_url is None:
        return f"Prometheus is not installed; it draws every figure and raises alerts: {INSTALL} && make up"
    return f"Every figure, and what is wrong by them: {access.prometheus_url}/alerts"


def _down(stack: Stack) -> int:
    stack.down()
    _say("Kabar is down; what it stored stays. `make clean` deletes it.")
    return 0


def _status(stack: Stack) -> int:
    rows = stack.status()
    if not rows:
        _say("Kabar does not run; `make up` starts it.")
        return 1
    _say(f"{'process':<20} {'pid':>8}  {'state':<8} {'uptime':>10} {'port':>6}  ready")
    for row in rows:
        _say(_status_line(row))
    ports = Ports(stack.directory / "ports.json")
    if any(row.state.name == "rabbitmq" for row in rows):
        numbers = RabbitMQPorts(ports["rabbitmq"], ports["rabbitmq-distribution"], ports["epmd"])
        _say(f"\nrabbitmqctl: {RabbitMQ(stack.directory / 'rabbitmq', numbers).control_command} status")
    if any(row.state.name == "prometheus" for row in rows):
        _say(f"prometheus:  http://127.0.0.1:{ports['prometheus']}")
    return 0 if all(row.ready for row in rows) else 1


def _status_line(row: Status) -> str:
    state = row.state
    uptime = _duration(time.time() - state.started) if state.running else "-"
    return (
        f"{state.name:<20} {state.pid or '-':>8}  {'running' if state.running else 'stopped':<8} {uptime:>10} "
        f"{row.port or '-':>6}  {'yes' if row.ready else 'no'}"
    )


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _logs(stack: Stack, wanted: str) -> int:
    names = sorted(stack.supervisor.states())
    if not names:
        _say("Kabar does not run; `make up` starts it.")
        return 1
    if wanted:
        chosen = [name for name in names if name == wanted or name.rpartition("-")[0] == wanted]
    else:
        chosen = [name for name in names if name not in SERVERS]
    paths = [path for name in chosen if (path := stack.supervisor.logs / f"{name}.log").exists()]
    if not paths:
        _say(f"There is no log of {wanted}; there are: {', '.join(names)}.")
        return 1
    try:
        for line in follow(paths):
            _say(line)
    except BrokenPipeError:
        # Whoever read this has seen enough; the interpreter's last flush goes nowhere, too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _clean(stack: Stack) -> int:
    stack.remove()
    return 0
