"""The compose file names what exists: packages, ports, variables, health paths, pinned images."""

import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from common.http.operations import operations_routes
from common.runtime.process import DRAIN_SECONDS
from local_stack.prometheus import Prometheus
from sandbox.settings import Settings as SandboxSettings
from tests.support.catalogue import ROOT, SERVICE_NAMES, variables
from tests.support.watching import PROMETHEUS, loaded

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PROGRAMS = [*SERVICE_NAMES, "sandbox"]
SERVERS = ["rabbitmq", "mongodb"]
WATCHERS = ["prometheus", "grafana", "otel-collector"]
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)")
OF_COMPOSE_ITSELF = {
    *("KABAR_RABBITMQ_PASSWORD", "KABAR_GRAFANA_PASSWORD", "KABAR_PROMETHEUS_PORT", "KABAR_GRAFANA_PORT"),
}


def test_every_service_package_has_a_container_and_every_container_a_reason() -> None:
    packages = {path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")}
    assert set(SERVICE_NAMES) == packages
    assert set(SERVICES) == {*PROGRAMS, *SERVERS, *WATCHERS}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_built_from_the_one_dockerfile_with_its_package(name: str) -> None:
    build = SERVICES[name]["build"]
    assert build == {"context": ".", "dockerfile": "deploy/Dockerfile", "args": {"PACKAGE": name}}
    assert (ROOT / build["dockerfile"]).exists()
    folder = "libs" if name == "sandbox" else "services"
    assert (ROOT / folder / name / "src" / name.replace("-", "_") / "__main__.py").exists()


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_service_is_handed_the_variables_it_reads_and_no_others(name: str) -> None:
    own_to_the_container = {"KABAR_INSTANCE"}
    assert set(SERVICES[name]["environment"]) == variables(name) - own_to_the_container


def test_the_sandbox_is_handed_the_variables_it_reads() -> None:
    source = (ROOT / "libs" / "sandbox" / "src" / "sandbox" / "settings.py").read_text()
    read = set(re.findall(r'environment\.get\(\s*"([A-Z_]+)"', source))
    assert set(SERVICES["sandbox"]["environment"]) == read
    assert SERVICES["sandbox"]["profiles"] == ["sandbox"]


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_value_comes_from_outside_unless_the_container_decides_it(name: str) -> None:
    decided = {key for key, value in SERVICES[name]["environment"].items() if value is not None}
    servers_and_ports = {"RABBITMQ_URL", "MONGODB_URL", "KABAR_HTTP_HOST", "KABAR_HTTP_PORT"}
    assert decided == {*servers_and_ports, "KABAR_SECRETS_DIRECTORY"}
    assert "env_file" not in SERVICES[name]


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_a_service_sees_the_files_of_its_own_secrets_and_changes_none(name: str) -> None:
    inside = SERVICES[name]["environment"]["KABAR_SECRETS_DIRECTORY"]
    assert SERVICES[name]["volumes"] == [f"${{KABAR_SECRETS_DIRECTORY:-./secrets}}/{name}:{inside}:ro"]


def test_every_variable_that_is_filled_in_is_known() -> None:
    known = set().union(*(variables(name) for name in SERVICE_NAMES)) | OF_COMPOSE_ITSELF
    assert set(INTERPOLATED.findall((ROOT / "docker-compose.yml").read_text())) <= known
    example = (ROOT / ".env.example").read_text()
    assert all(f"{name}=" in example for name in OF_COMPOSE_ITSELF)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_asked_whether_it_is_ready_where_it_listens(name: str) -> None:
    asked = SERVICES[name]["healthcheck"]["test"]
    paths = {route.path for route in operations_routes({}, CollectorRegistry())}
    assert "/readyz" in paths
    assert asked[:3] == ["CMD", "python", "-c"]
    assert "KABAR_HTTP_PORT" in asked[3]
    assert "/readyz" in asked[3]
    compile(asked[3], "healthcheck", "exec")
    assert SERVICES[name]["environment"]["KABAR_HTTP_HOST"] == "0.0.0.0"  # noqa: S104 - inside its container
    assert SERVICES[name]["environment"]["KABAR_HTTP_PORT"].isdecimal()


def test_the_api_is_published_on_the_port_it_listens_to_and_what_operators_look_at_to_this_machine_alone() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    port = SERVICES["api-gateway"]["environment"]["KABAR_HTTP_PORT"]
    assert published == {
        "api-gateway": [f"${{KABAR_HTTP_PORT:-8080}}:{port}"],
        "prometheus": ["127.0.0.1:${KABAR_PROMETHEUS_PORT:-9090}:9090"],
        "grafana": ["127.0.0.1:${KABAR_GRAFANA_PORT:-3000}:3000"],
    }


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_more_rights_than_it_needs_and_comes_back(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service["healthcheck"]["test"]
    if name != "rabbitmq":  # writes beside its configuration
        assert service["read_only"] is True
    if name in {*SERVERS, *WATCHERS}:
        assert service["user"].split(":")[0] not in {"root", "0"}
    if name in SERVERS:
        assert service["networks"] == ["inside"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_service_has_time_to_drain(name: str) -> None:
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+([.-][a-z0-9.-]+)?", SERVICES[name]["image"])


def test_what_images_are_built_from_is_pinned_and_does_not_run_as_root() -> None:
    recipe = (ROOT / "deploy" / "Dockerfile").read_text()
    for image in re.findall(r"^FROM (\S+)", recipe, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", image), image
    assert "uv sync --locked --no-dev" in recipe
    assert re.search(r"^USER \d+:\d+$", recipe, re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_exists(name: str) -> None:
    ours = [volume for volume in SERVICES[name].get("volumes", []) if not volume.startswith("$")]
    for volume in ours:
        source = volume.split(":")[0]
        assert (ROOT / source).exists() if source.startswith(".") else source in COMPOSE["volumes"]


def test_the_servers_addresses_are_those_of_the_containers() -> None:
    common = COMPOSE["x-common"]
    assert common["RABBITMQ_URL"].endswith("@rabbitmq:5672/")
    assert common["MONGODB_URL"].endswith("mongodb://mongodb:27017/kabar?replicaSet=rs0")
    assert SERVICES["rabbitmq"]["environment"]["RABBITMQ_DEFAULT_PASS"] == "${KABAR_RABBITMQ_PASSWORD:-kabar}"
    assert "zlib" not in SERVICES["mongodb"]["command"][-1]
    assert COMPOSE["networks"]["inside"] == {"internal": True}


def test_trying_it_out_sets_only_what_the_services_are_handed_and_the_sandbox_takes() -> None:
    lines = (ROOT / "deploy" / "sandbox.env").read_text().splitlines()
    values = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    handed = {name for service in SERVICES.values() for name in service.get("environment", {})}
    assert values.keys() <= handed
    sandbox = SERVICES["sandbox"]["environment"]
    for name in ("FONNTE_API_URL", "WABLAS_API_URL"):
        assert values[name].startswith(f"http://sandbox:{sandbox['KABAR_HTTP_PORT']}/")
    settings = SandboxSettings.from_environment({})
    assert values["FONNTE_API_TOKEN"] in settings.fonnte_tokens
    assert f"{values['WABLAS_API_TOKEN']}.{values['WABLAS_SECRET_KEY']}" in settings.wablas_tokens


def scrapes() -> dict[str, dict[str, Any]]:
    """What Prometheus looks at, by the name it gives it."""
    return {job["job_name"]: job for job in loaded(PROMETHEUS / "prometheus.yml")["scrape_configs"]}


@pytest.mark.parametrize("name", SERVICE_NAMES)
def test_prometheus_looks_at_every_process_of_a_service_where_it_listens(name: str) -> None:
    job = scrapes()[name]
    (lookup,) = job["dns_sd_configs"]
    assert lookup["names"] == [name]
    assert lookup["type"] == "A"
    assert str(lookup["port"]) == SERVICES[name]["environment"]["KABAR_HTTP_PORT"]
    assert job["relabel_configs"] == [{"source_labels": ["job"], "target_label": "service"}]
    assert job["honor_labels"] is True
    assert job.get("metrics_path", "/metrics") in {r.path for r in operations_routes({}, CollectorRegistry())}


def test_prometheus_looks_at_nothing_else_but_containers_that_there_are() -> None:
    others = {name: job for name, job in scrapes().items() if name not in SERVICE_NAMES}
    targets = {target for job in others.values() for one in job["static_configs"] for target in one["targets"]}
    own = "127.0.0.1:9090"
    assert targets == {own, "rabbitmq:15692", "otel-collector:8888"}
    told = loaded(ROOT / "deploy" / "otel" / "collector.yaml")["service"]["telemetry"]["metrics"]["readers"]
    assert told == [{"pull": {"exporter": {"prometheus": {"host": "0.0.0.0", "port": 8888}}}}]  # noqa: S104
    assert "rabbitmq_prometheus" in (ROOT / "deploy" / "rabbitmq" / "enabled_plugins").read_text()
    for target in targets - {own}:
        name = target.partition(":")[0]
        assert set(SERVICES[name]["networks"]) & set(SERVICES["prometheus"]["networks"])


def test_the_local_prometheus_judges_by_the_same_rules_and_names() -> None:
    local = Prometheus("prometheus", ROOT, 9090, dict.fromkeys(SERVICE_NAMES, (1,)), 2, "rules/*.yml").configuration()
    jobs = {job["job_name"]: job for job in local["scrape_configs"]}
    assert local["rule_files"] == loaded(PROMETHEUS / "prometheus.yml")["rule_files"]
    assert set(jobs) | {"otel-collector"} == set(scrapes())
    for name, job in jobs.items():
        assert job["static_configs"][0]["labels"]["service"] == name.removesuffix("-queues")
        for key in ("metrics_path", "params"):
            assert job.get(key) == scrapes()[name].get(key)


def test_grafana_finds_prometheus_and_the_dashboards_where_they_are() -> None:
    provisioning = ROOT / "deploy" / "grafana" / "provisioning"
    (source,) = loaded(provisioning / "datasources" / "prometheus.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
    interval = loaded(PROMETHEUS / "prometheus.yml")["global"]["scrape_interval"]
    assert source["jsonData"]["timeInterval"] == interval
    (provider,) = loaded(provisioning / "dashboards" / "kabar.yml")["providers"]
    mounted = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounted["./deploy/grafana/dashboards"] == provider["options"]["path"]
    assert mounted["./deploy/grafana/provisioning"] == "/etc/grafana/provisioning"


def test_the_watchers_are_asked_at_the_ports_they_are_published_on() -> None:
    for name in ("prometheus", "grafana"):
        port = SERVICES[name]["ports"][0].rpartition(":")[2]
        assert f"http://127.0.0.1:{port}/" in SERVICES[name]["healthcheck"]["test"][-1]


def test_every_file_a_watcher_is_told_of_is_mounted_there() -> None:
    for name in ("prometheus", "otel-collector"):
        service = SERVICES[name]
        mounted = {volume.split(":")[1] for volume in service["volumes"]}
        told = [word.partition("=")[2] for word in service["command"] if word.startswith("--config")]
        assert told
        assert set(told) <= mounted
    assert "/etc/prometheus/rules" in {volume.split(":")[1] for volume in SERVICES["prometheus"]["volumes"]}
