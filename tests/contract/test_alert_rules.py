"""Alert rules, the tests that make each fire and clear, and the pages people read at night: none without the others."""

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from dispatcher.domain.audience import UNREACHABLE
from dispatcher.domain.decisions import FINAL_CODES
from kabar_cli.program import app
from tests.support.catalogue import ROOT, SERVICE_NAMES
from tests.support.watching import PROMETHEUS, RUNBOOKS, alerts, loaded, metric_names, rules, selectors

ALERTS = alerts()
NAMES = sorted({rule["alert"] for rule in ALERTS})
PAGES = sorted(RUNBOOKS.glob("*.md"))
TESTS = [test for file in sorted((PROMETHEUS / "tests").glob("*.yml")) for test in loaded(file)["tests"]]
DOCUMENTED = json.loads((ROOT / "docs" / "openapi.json").read_text())["paths"]
DEAD_CODES = {"RETRY_FAILED", "UNKNOWN", *UNREACHABLE.values(), *FINAL_CODES.values()}
"""What dead deliveries can be filtered by; why a provider failed one attempt is another matter."""
PARTS = ["What it means", "What customers notice", "Look", "Do", "It is over"]


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=PROMETHEUS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def files(folder: str) -> list[str]:
    return [str(file.relative_to(PROMETHEUS)) for file in sorted((PROMETHEUS / folder).glob("*.yml"))]


def test_the_configuration_and_every_rule_are_well_formed() -> None:
    promtool("check", "config", "prometheus.yml")
    promtool("check", "rules", *files("rules"))


def test_every_alert_fires_and_clears_as_its_tests_say() -> None:
    promtool("test", "rules", *files("tests"))


@pytest.mark.parametrize(("alert", "severity"), sorted({(one["alert"], one["labels"]["severity"]) for one in ALERTS}))
def test_some_test_has_an_alert_fire_and_then_clear(alert: str, severity: str) -> None:
    def fires_and_clears(test: dict[str, Any]) -> bool:
        looks = [look for look in test["alert_rule_test"] if look["alertname"] == alert]
        fires = [any(one["exp_labels"]["severity"] == severity for one in look.get("exp_alerts", [])) for look in looks]
        return True in fires and not fires[-1]

    assert any(fires_and_clears(test) for test in TESTS)


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_urgent_it_is_what_is_wrong_and_where_to_read_on(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    told = rule["annotations"]
    assert set(told) == {"summary", "description", "runbook_url"}
    assert len(told["summary"]) < 90
    assert told["runbook_url"] == f"docs/runbooks/{rule['alert']}.md"


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert [page.stem for page in PAGES] == NAMES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_a_page_answers_what_somebody_woken_asks(page: Path) -> None:
    text = page.read_text()
    assert text.startswith(f"# {page.stem}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == PARTS
    severities = {one["labels"]["severity"] for one in ALERTS if one["alert"] == page.stem}
    assert all(re.search(rf"\b{severity}\b", text.split("##")[0], re.IGNORECASE) for severity in severities)
    look = text.split("## Look")[1].split("## Do")[0]
    assert "```sh\n" in look
    assert "```promql\n" in look
    for link in re.findall(r"\]\(([^)#]+)", text):
        assert (page.parent / link).exists(), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.stem))
def test_a_page_names_commands_and_requests_that_there_are(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text()
    (tmp_path / "FILE.csv").touch()
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^kabar .+$", text, re.MULTILINE) + re.findall(r"`(kabar [^`]+)`", text)
    for command in commands:
        parse(shlex.split(command, comments=True)[1:])
        code = re.search(r"--code (\S+)", command)
        assert code is None or code[1] in DEAD_CODES, command
    for method, path in re.findall(r"`(GET|POST|DELETE|PATCH) ([^`?]+)`", text):
        assert method.lower() in DOCUMENTED.get(path, {}), f"{method} {path}"
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", "\n".join(re.findall(r"```sh\n(.*?)```", text, re.DOTALL)))) <= targets


def parse(arguments: list[str]) -> None:
    """Read a command line as `kabar` does, and do nothing."""
    command: Any = typer.main.get_command(app)
    while hasattr(command, "commands"):
        name, *arguments = arguments
        command = command.commands[name]
    command.make_context(name, arguments)


def test_a_service_without_a_process_is_noticed_whichever_it_is() -> None:
    down = next(rule for rule in ALERTS if rule["alert"] == "ServiceDown")
    assert re.findall(r'absent\(up\{service="([^"]+)"\}\)', down["expr"]) == list(SERVICE_NAMES)


def test_no_rule_looks_at_a_number_or_an_identity_of_anybody() -> None:
    for rule in rules():
        assert not re.search(r"\b(recipient|phone|number|delivery_id|notification_id)\b", rule["expr"])


def test_an_expression_names_its_metrics_and_nothing_else() -> None:
    expression = (
        'sum by (queue) (rate(one_total{queue="a", verdict!~"b[.]|c"}[5m])) > 4e2 and on (queue) two_seconds offset 1h '
        "unless (time() - max(last_over_time(three[7d])) == bool 1) or kabar:four:share15m"
    )
    assert metric_names(expression) == {"one_total", "two_seconds", "three", "kabar:four:share15m"}
    assert 'one_total{queue="a", verdict!~"b[.]|c"}' in selectors(expression)
