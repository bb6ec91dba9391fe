"""Somebody at the admin page: what a browser holds and sends."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape

import httpx
import pytest
from argon2 import PasswordHasher

from api_gateway.entrypoints.pages import site
from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.access_table import ADMIN, ALL, DISPATCHERS, OPERATORS, SENDING, anonymous
from tests.support.api import Api, ready, running_api, token, wait_until
from tests.support.servers import new_database

HOME = "/admin/whatsapp-queue"
PASSWORD = "a password of the tests"
_TOKEN = re.compile(r'name="form_token" value="(\w+)"')
_KEY = re.compile(r'name="key" value="([\w-]+)"')


def account(name: str, role: str, password: str = PASSWORD) -> str:
    """An entry of KABAR_ADMIN_ACCOUNTS, with a hash that is cheap to verify."""
    return f"{name}:{role}:{PasswordHasher(time_cost=1, memory_cost=64, parallelism=1).hash(password)}"


ACCOUNTS = " ".join((account("siti", "admin"), account("budi", "noc"), account("rina", "cs")))


@dataclass(frozen=True)
class Page:
    """A page, or what a form does, and who may; everybody else is told so, or asked to sign in."""

    method: str
    path: str
    roles: frozenset[str]
    values: tuple[str, ...] = ("x", "y")
    fields: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> str:
        return f"{self.method} {anonymous(self.path)}"

    def address(self, **there: str) -> str:
        """A path to ask for; what it names need not be there, unless `values` say so as `{broadcast}`."""
        values = iter(self.values)
        return re.sub(r"{[^}]*}", lambda _: next(values).format(**there), self.path)


PAGES = (
    Page("GET", HOME, OPERATORS),
    Page("GET", f"{HOME}/queue/clear", OPERATORS),
    Page("POST", f"{HOME}/queue/clear", OPERATORS),
    Page("POST", f"{HOME}/queue/force-process", OPERATORS),
    Page("POST", f"{HOME}/queue/send-test", OPERATORS),
    Page("POST", f"{HOME}/senders/{{id}}/check", OPERATORS),
    Page("GET", f"{HOME}/senders/{{id}}/reset-limits", OPERATORS),
    Page("POST", f"{HOME}/senders/{{id}}/{{act}}", OPERATORS, ("x", "pause")),
    Page("GET", f"{HOME}/failures", DISPATCHERS),
    Page("POST", f"{HOME}/failures/retry", DISPATCHERS, fields={"ids": "dlv_x"}),
    Page("POST", f"{HOME}/failures/discard", DISPATCHERS, fields={"ids": "dlv_x"}),
    Page("GET", f"{HOME}/deliveries", ALL),
    Page("GET", f"{HOME}/deliveries/{{id}}", ALL),
    Page("POST", f"{HOME}/deliveries/{{id}}/retry", DISPATCHERS),
    Page("POST", f"{HOME}/deliveries/{{id}}/cancel", DISPATCHERS),
    Page("POST", f"{HOME}/deliveries/{{id}}/reveal", ADMIN),
    Page("GET", f"{HOME}/why", ALL),
    Page("GET", f"{HOME}/broadcasts", ALL),
    Page("GET", f"{HOME}/broadcasts/{{id}}", ALL),
    Page("GET", f"{HOME}/broadcasts/{{id}}/cancel", ALL),
    Page("POST", f"{HOME}/broadcasts/{{id}}/cancel", SENDING["promotion"], ("{broadcast}",)),
    Page("GET", f"{HOME}/jobs", OPERATORS),
    Page("GET", f"{HOME}/jobs/{{name}}", OPERATORS),
    Page("POST", f"{HOME}/jobs/{{name}}/run", OPERATORS),
    Page("GET", f"{HOME}/templates", ALL),
    Page("GET", f"{HOME}/templates/{{name}}", ALL, ("welcome",)),
    Page("POST", f"{HOME}/templates/{{name}}/preview", ALL, ("welcome",)),
    Page("POST", f"{HOME}/templates/{{name}}/publish", ADMIN, ("welcome",)),
    Page("GET", f"{HOME}/routes", ALL),
    Page("GET", f"{HOME}/routes/{{name}}", ALL, ("welcome",)),
    Page("POST", f"{HOME}/routes/{{name}}", ADMIN, ("welcome",)),
    Page("POST", f"{HOME}/routes/{{name}}/restore", ADMIN, ("welcome",)),
    Page("GET", f"{HOME}/groups", ALL),
    Page("POST", f"{HOME}/groups/add", ADMIN),
    Page("POST", f"{HOME}/groups/sync", ADMIN),
    Page("POST", f"{HOME}/groups/{{id}}/activate", ADMIN),
    Page("POST", f"{HOME}/groups/{{id}}/deactivate", ADMIN),
    Page("POST", f"{HOME}/groups/{{id}}/purpose", ADMIN),
    Page("POST", f"{HOME}/groups/{{id}}/remove", ADMIN),
    Page("POST", f"{HOME}/groups/{{id}}/test", ADMIN),
    Page("GET", f"{HOME}/audit", ADMIN),
    Page("POST", f"{HOME}/sign-out", ALL),
)
OPEN = {f"GET {HOME}/sign-in", f"POST {HOME}/sign-in", f"GET {HOME}/assets/{{}}/{{}}"}
WATCHED = {f"GET {HOME}/live"}
"""Has no end; a test of its own says who may."""


def page_routes() -> set[str]:
    """Every page of the application, as rows spell theirs."""
    return {
        f"{method} {anonymous(str(route.path))}"
        for part in site.PARTS
        for route in part.routes
        for method in route.methods
    }


@dataclass
class Browser:
    """Keeps cookies, follows no redirects by itself, and sends forms as they stand on the page it is on."""

    http: httpx.AsyncClient
    page: str = ""

    async def get(self, path: str) -> httpx.Response:
        answer = await self.http.get(path)
        if answer.status_code == 200:
            self.page = answer.text
        return answer

    async def submit(self, path: str, **fields: str | list[str]) -> httpx.Response:
        found = _TOKEN.search(self.page)
        assert found is not None, "there is no form on this page"
        return await self.http.post(path, data={"form_token": found[1], **fields})

    async def act(self, path: str, **fields: str | list[str]) -> str:
        """Send a form and follow to the page it leads to; answers its text."""
        answer = await self.submit(path, **fields)
        assert answer.status_code == 303, answer.text
        shown = await self.get(answer.headers["location"])
        assert shown.status_code == 200, shown.text
        return text_of(shown)

    @property
    def key(self) -> str:
        found = _KEY.search(self.page)
        assert found is not None
        return found[1]

    async def sign_in(self, name: str = "siti", password: str = PASSWORD) -> httpx.Response:
        await self.get(f"{HOME}/sign-in")
        return await self.submit(f"{HOME}/sign-in", name=name, password=password)

    async def sign_in_as(self, role: str) -> httpx.Response:
        await self.get(f"{HOME}/sign-in")
        return await self.submit(f"{HOME}/sign-in", token=token(role, sub=f"a {role}"))


async def events(visitor: httpx.AsyncClient, seen: list[tuple[str, str]]) -> None:
    """Read the live parts of the overview into `seen` until there are no more."""
    async with visitor.stream("GET", f"{HOME}/live", timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name, lines = "", []
        async for line in answer.aiter_lines():
            kind, _, rest = line.partition(": ")
            if kind == "event":
                name = rest
            elif kind == "data":
                lines.append(rest)
            elif not line and name:
                seen.append((name, "\n".join(lines)))
                name, lines = "", []


def text_of(answer: httpx.Response) -> str:
    """What there is to read, without the marks."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", answer.text))).strip()


@asynccontextmanager
async def browser(api: Api, role: str | None = None, **headers: str) -> AsyncIterator[Browser]:
    """Nobody, or somebody with a role who is signed in and on a page with a form."""
    accepted = {"Accept": "text/html", **headers}
    async with httpx.AsyncClient(base_url=api.url, headers=accepted, timeout=60) as http:
        opened = Browser(http)
        if role is not None:
            answer = await opened.sign_in_as(role)
            assert answer.status_code == 303, answer.text
            await opened.get(HOME if role in OPERATORS else f"{HOME}/deliveries")
        yield opened


def audited(api: Api) -> list[tuple[str, str, str]]:
    """Who did what, and what came of it; the oldest first."""
    return [(row["actor"], row["action"], row["outcome"]) for row in api.rows["audit_log"].find().sort("_id", 1)]


@pytest.fixture(scope="module")
def page_api(
    rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Api]:
    """A process with accounts, for the tests of one module."""
    log = tmp_path_factory.mktemp("api") / "log"
    with running_api(rabbitmq.url, new_database(mongodb), log, KABAR_ADMIN_ACCOUNTS=ACCOUNTS) as started:
        wait_until(lambda: ready(started), f"api-gateway is not ready; see {log}")
        yield started


@pytest.fixture
def pages(page_api: Api) -> Api:
    """The same with nothing stored."""
    for collection in ("notifications", "deliveries", "senders", "groups", "jobs", "sign_in_gates", "audit_log"):
        page_api.rows[collection].delete_many({})
    return page_api
