"""The dashboards are those that deploy/grafana/dashboards.py writes, and each panel says what it shows."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.catalogue import ROOT
from tests.support.watching import DASHBOARDS, loaded, panels

GRAFANA = ROOT / "deploy" / "grafana"
FILES = sorted(DASHBOARDS.glob("*.json"))
PANELS = dict(panels())


def test_they_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, str(GRAFANA / "dashboards.py"), str(tmp_path)], check=True)
    written = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert written == {file.name: file.read_text() for file in FILES}
    assert set(written) == {"overview.json", "providers.json", "pipeline.json", "jobs.json"}


def test_no_two_panels_of_all_have_the_same_name() -> None:
    assert len(PANELS) == sum(
        panel["type"] != "row" for file in FILES for panel in json.loads(file.read_text())["panels"]
    )


@pytest.mark.parametrize("name", PANELS)
def test_a_panel_says_what_it_shows_and_asks_the_source_there_is(name: str) -> None:
    panel = PANELS[name]
    (source,) = loaded(GRAFANA / "provisioning" / "datasources" / "prometheus.yml")["datasources"]
    assert panel["description"].endswith(".")
    for target in panel["targets"]:
        assert target["datasource"] == {"type": source["type"], "uid": source["uid"]}


def test_latencies_show_which_traces_they_are_of() -> None:
    """Grafana asks for exemplars only where a panel says so."""
    asked = [target for panel in PANELS.values() for target in panel["targets"]]
    latencies = [target for target in asked if "_bucket" in target["expr"]]
    assert len(latencies) > 8
    assert [target["expr"] for target in asked if target["exemplar"]] == [target["expr"] for target in latencies]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_panels_lie_beside_each_other_and_not_on_each_other(file: Path) -> None:
    dashboard = json.loads(file.read_text())
    assert dashboard["uid"] == f"kabar-{file.stem}"
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        cells = cells_of(panel["gridPos"])
        assert not cells & taken
        assert all(x < 24 for x, _ in cells)
        taken |= cells


def cells_of(place: dict[str, Any]) -> set[tuple[int, int]]:
    columns, lines = range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"])
    return {(x, y) for x in columns for y in lines}
