"""A running Kabar with its Prometheus: every query of a rule, a dashboard or a runbook is answered with something."""

import asyncio
import re
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import httpx
import pytest
import pytest_asyncio

from local_stack.webhooks import webhook_addresses
from tests.support.catalogue import ROOT, SERVICE_NAMES
from tests.support.kabar import Kabar, eventually, running_kabar
from tests.support.watching import metric_names, queries, selectors

SETTINGS = {
    "WHATSAPP_QUEUE_DELAY": "0.5",
    "WHATSAPP_RATE_LIMIT_PER_MINUTE": "0",
    "WHATSAPP_RATE_LIMIT_PER_HOUR": "1000",
    "WHATSAPP_RATE_LIMIT_PER_DAY": "5000",
    "WHATSAPP_READ_TIMEOUT": "1",
    "WHATSAPP_MAX_RETRIES": "1",
    "KABAR_UNKNOWN_WAIT_SECONDS": "1",
    "KABAR_FAILED_RETRY_SECONDS": "0",
    "KABAR_SCHEDULE_RETENTION": "30 2 * * *",
    "KABAR_SCHEDULE_DUNNING": "0 8 * * *",
}
OF_LIBRARIES = ("python_", "process_")
ONLY_WITH_DOCKER = {'up{service="otel-collector"}'}
QUERIES = queries()


class Prometheus:
    """The HTTP API of the one that runs."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, query: str) -> list[dict[str, Any]]:
        answer = await self._http.get("/api/v1/query", params={"query": query})
        assert answer.status_code == 200, f"{query}: {answer.text}"
        found: list[dict[str, Any]] = answer.json()["data"]["result"]
        return found

    async def answers(self, query: str) -> None:
        """Wait until a query finds something: a rate needs two looks."""
        try:
            await eventually(lambda: self.ask(query), seconds=60)
        except AssertionError as nothing:
            raise AssertionError(f"{nothing}: {query}") from None

    async def rules(self) -> list[dict[str, Any]]:
        groups = (await self._http.get("/api/v1/rules")).json()["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def kabar(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kabar]:
    """One in which everything has happened once that somebody may look for."""
    async with running_kabar(tmp_path_factory.mktemp("kabar"), SETTINGS, watched=True) as kabar:
        yield kabar


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def prometheus(kabar: Kabar) -> AsyncIterator[Prometheus]:
    assert kabar.access.prometheus_url is not None
    async with httpx.AsyncClient(base_url=kabar.access.prometheus_url, timeout=30, trust_env=False) as http:
        yield Prometheus(http)


@pytest_asyncio.fixture(scope="module", loop_scope="session", autouse=True)
async def eventful(kabar: Kabar, prometheus: Prometheus) -> None:
    """Messages are sent, fail over, become unknown, are refused; a quota is topped up, a device is away."""
    await prometheus.answers("sender_available == 1")
    addresses = await asyncio.to_thread(webhook_addresses, kabar.access, None)
    for name, address in addresses.items():
        await kabar.sandbox.subscribe_webhooks(name, address)

    async def checked(sender: str, query: str) -> list[dict[str, Any]]:
        assert (await kabar.http.post(f"/api/senders/{sender}/check")).is_success
        await asyncio.sleep(1)  # a provider is asked every 10 s at most
        return await prometheus.ask(query)

    for quota in (500, 5_000):
        await kabar.sandbox.set_quota("fonnte", quota)
        query = f'sender_quota_remaining{{sender="fonnte-1"}} == {quota}'
        await eventually(partial(checked, "fonnte-1", query), seconds=90)
    await kabar.sandbox.respond("fonnte", http_status=503, times=2, recipient="6281200000021")
    await kabar.sandbox.hang("fonnte", times=1, recipient="6281200000022")
    numbers = ["6281200000020", "6281200000021", "6281200000022", "021-555"]
    accepted = await kabar.accept(to=numbers, message="Halo", on_unknown="resend")
    await kabar.settled(accepted["notification_id"], 3, seconds=90)
    await kabar.sandbox.disconnect("wablas")
    await eventually(partial(checked, "wablas-1", 'alert_active{cause="device:wablas-1"}'), seconds=90)


def test_the_queries_are_there() -> None:
    assert len(QUERIES) > 100


@pytest.mark.parametrize("where", [where for where in QUERIES if not where.startswith("rule ")])
async def test_what_a_dashboard_or_a_runbook_asks_is_answered(prometheus: Prometheus, where: str) -> None:
    await prometheus.answers(QUERIES[where])


@pytest.mark.parametrize("where", [where for where in QUERIES if where.startswith("rule ")])
async def test_everything_a_rule_looks_at_is_told_by_some_process(prometheus: Prometheus, where: str) -> None:
    await prometheus.ask(QUERIES[where])
    for selector in set(selectors(QUERIES[where])) - ONLY_WITH_DOCKER:
        await prometheus.answers(selector)


async def test_while_all_is_well_every_rule_is_evaluated_and_nothing_critical_fires(prometheus: Prometheus) -> None:
    async def evaluated() -> bool:
        return all(rule["health"] == "ok" for rule in await prometheus.rules())

    await eventually(evaluated, seconds=60)
    firing = [
        rule["name"]
        for rule in await prometheus.rules()
        if rule["type"] == "alerting" and rule["state"] == "firing" and rule["labels"]["severity"] == "critical"
    ]
    assert firing == []


async def test_the_metrics_that_are_documented_are_those_there_are(prometheus: Prometheus, kabar: Kabar) -> None:
    exported: set[str] = set()
    for service in SERVICE_NAMES:
        for target in await prometheus.ask(f'up{{service="{service}"}}'):
            text = (await kabar.http.get(f"http://{target['metric']['instance']}/metrics")).text
            exported |= set(re.findall(r"^# TYPE (\S+) (?:counter|gauge|histogram)$", text, re.MULTILINE))
    ours = {name for name in exported if not name.startswith(OF_LIBRARIES) and not name.endswith("_created")}
    section = (ROOT / "docs" / "operations.md").read_text().split("\n## Metrics\n")[1].split("\n## ")[0]
    documented = {
        name for row in re.findall(r"^\| .+ \|$", section, re.MULTILINE) for name in re.findall(r"`([a-z_]+)", row)
    }
    assert ours == documented


async def test_what_is_down_is_told(prometheus: Prometheus, kabar: Kabar) -> None:
    """By name, and by a page on what to do; it is over when it is back."""

    async def down() -> list[dict[str, Any]]:
        rules = [rule for rule in await prometheus.rules() if rule["name"] == "ServiceDown"]
        return [one for rule in rules for one in rule["alerts"] if one["labels"]["service"] == "gateway-email"]

    await asyncio.to_thread(kabar.stack.supervisor.stop, ["gateway-email-1"])
    (told,) = await eventually(down, seconds=60)
    assert told["annotations"]["summary"] == "gateway-email does not answer"
    assert (ROOT / told["annotations"]["runbook_url"]).exists()
    await asyncio.to_thread(kabar.stack.supervisor.start, ["gateway-email-1"])

    async def over() -> bool:
        return not await down()

    await eventually(over, seconds=60)


def test_names_are_found_in_every_query() -> None:
    assert all(metric_names(query) for query in QUERIES.values())
