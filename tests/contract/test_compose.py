"""The compose file names what exists: packages, ports, variables, health paths, pinned images."""

import re
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from common.http.operations import operations_routes
from common.runtime.process import DRAIN_SECONDS
from sandbox.settings import Settings as SandboxSettings
from tests.support.catalogue import ROOT, SERVICE_NAMES, variables

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
PROGRAMS = [*SERVICE_NAMES, "sandbox"]
SERVERS = ["rabbitmq", "mongodb"]
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)")
OF_COMPOSE_ITSELF = {"KABAR_RABBITMQ_PASSWORD"}


def test_every_service_package_has_a_container_and_every_container_a_reason() -> None:
    packages = {path.parent.name for path in (ROOT / "services").glob("*/pyproject.toml")}
    assert set(SERVICE_NAMES) == packages
    assert set(SERVICES) == {*PROGRAMS, *SERVERS}


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
    assert decided == {"RABBITMQ_URL", "MONGODB_URL", "KABAR_HTTP_HOST", "KABAR_HTTP_PORT"}
    assert "env_file" not in SERVICES[name]


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


def test_only_the_api_is_published_and_on_the_port_it_listens_to() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if service.get("ports")}
    port = SERVICES["api-gateway"]["environment"]["KABAR_HTTP_PORT"]
    assert published == {"api-gateway": [f"${{KABAR_HTTP_PORT:-8080}}:{port}"]}


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
    if name in SERVERS:
        assert service["user"] not in {"root", "0"}
        assert service["networks"] == ["inside"]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_service_has_time_to_drain(name: str) -> None:
    assert int(SERVICES[name]["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9./-]+:\d+\.\d+\.\d+([.-][a-z0-9.-]+)?", SERVICES[name]["image"])


def test_what_images_are_built_from_is_pinned_and_does_not_run_as_root() -> None:
    recipe = (ROOT / "deploy" / "Dockerfile").read_text()
    for image in re.findall(r"^FROM (\S+)", recipe, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", image), image
    assert "uv sync --locked --no-dev" in recipe
    assert re.search(r"^USER \d+:\d+$", recipe, re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_every_file_that_is_mounted_exists(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
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
