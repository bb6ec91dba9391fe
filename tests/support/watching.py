"""What deploy/ gives Prometheus and Grafana to ask, for drift tests: rules, dashboards, runbooks, and their queries."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support.catalogue import ROOT

PROMETHEUS = ROOT / "deploy" / "prometheus"
RUNBOOKS = ROOT / "docs" / "runbooks"
DASHBOARDS = ROOT / "deploy" / "grafana" / "dashboards"
_WORDS = frozenset({"and", "or", "unless", "bool", "offset", "inf", "nan"})
_TEXT = re.compile(r'([=~]"[^"]*")|"[^"]*"')
"""What a label is compared with, and what a function is given."""
_GROUPING = re.compile(r"\b(?:by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)")
_SELECTOR = re.compile(r"(?<![\w.:])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?(\s*\()?")


def loaded(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def rules() -> list[dict[str, Any]]:
    """Every rule of every file, as Prometheus reads it."""
    files = sorted((PROMETHEUS / "rules").glob("*.yml"))
    return [rule for file in files for group in loaded(file)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def panels() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every panel that asks something, with its name."""
    for file in sorted(DASHBOARDS.glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            if panel["type"] != "row":
                yield f"{file.stem}: {panel['title']}", panel


def runbook_queries(page: Path) -> list[str]:
    """What a runbook says to ask Prometheus: a query a line."""
    blocks = re.findall(r"```promql\n(.*?)```", page.read_text(), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def selectors(expression: str) -> list[str]:
    """What an expression picks: `name{label="value"}`, without functions and without ranges."""
    bare = _GROUPING.sub(" ", _TEXT.sub(r"\1", re.sub(r"\[\d[^\]]*\]", " ", expression)))
    return [name + labels for name, labels, call in _SELECTOR.findall(bare) if not call and name not in _WORDS]


def metric_names(expression: str) -> set[str]:
    return {selector.partition("{")[0] for selector in selectors(expression)}


def queries() -> dict[str, str]:
    """Every query there is, by where it stands; Grafana's own words are what they would be in a look at an hour."""
    found = {
        f"rule {rule.get('alert') or rule['record']} {number}": rule["expr"] for number, rule in enumerate(rules())
    }
    for name, panel in panels():
        for target in panel["targets"]:
            found[f"panel {name} {target['refId']}"] = target["expr"].replace("$__rate_interval", "1m")
    for page in sorted(RUNBOOKS.glob("*.md")):
        for number, query in enumerate(runbook_queries(page)):
            found[f"runbook {page.stem} {number}"] = query
    return found
