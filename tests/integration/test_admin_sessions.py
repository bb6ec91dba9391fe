"""Who is signed in at the admin page, and watches, is let go once what they signed in with does not count any more."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.support.api import SECRET, Api, ready, running_api, token, until, wait_until
from tests.support.pages import HOME, Browser, account, browser, events
from tests.support.servers import new_database

NEW = "another secret, made up while the tests run"
STAYS, GOES = account("siti", "noc"), account("budi", "noc")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "KABAR_JWT_SECRET").write_text(SECRET)
    (directory / "KABAR_ADMIN_ACCOUNTS").write_text(f"{STAYS} {GOES} {account('rina', 'noc')} {account('joko', 'noc')}")
    return directory


@pytest.fixture
def following(files: Path, rabbitmq: PrivateRabbitMQ, mongodb: PrivateMongo, tmp_path: Path) -> Iterator[Api]:
    environment = {"KABAR_SECRETS_DIRECTORY": str(files)}
    with running_api(rabbitmq.url, new_database(mongodb), tmp_path / "log", **environment) as started:
        wait_until(lambda: ready(started), "api-gateway is not ready")
        yield started


@asynccontextmanager
async def watching(api: Api, name: str | None = None) -> AsyncIterator[tuple[Browser, "asyncio.Task[str]"]]:
    """Somebody with a password, or with a token, at the overview; the task ends with the last thing they are told."""
    async with browser(api, "noc" if name is None else None) as visitor:
        if name is not None:
            assert (await visitor.sign_in(name)).status_code == 303
        seen: list[tuple[str, str]] = []

        async def watch() -> str:
            await events(visitor.http, seen)
            return seen[-1][0]

        async def began() -> bool:
            return bool(seen)

        task = asyncio.create_task(watch())
        try:
            await until(began, "nothing came")
            yield visitor, task
        finally:
            task.cancel()


async def looked(visitor: Browser) -> int:
    return (await visitor.http.get(HOME)).status_code


async def test_a_session_ends_with_the_secret_that_signed_its_token(following: Api, files: Path) -> None:
    file = files / "KABAR_JWT_SECRET"

    async def new_one_counts() -> bool:
        headers = {"Authorization": f"Bearer {token(secret=NEW)}"}
        async with httpx.AsyncClient(base_url=following.url, headers=headers) as client:
            return (await client.get("/api/deliveries")).status_code == 200

    async with watching(following) as (forger, told), watching(following, "siti") as (other, goes_on):
        file.write_text(f"{NEW}\n{SECRET}\n")
        await until(new_one_counts, "the new secret is not taken")
        assert await looked(forger) == 200, "the old one still counts"
        file.write_text(NEW)

        async def out() -> bool:
            return await looked(forger) == 303

        await until(out, "whoever came with a token of the old secret is still in")
        assert await asyncio.wait_for(told, 60) == "signed-out"
        assert await looked(other) == 200
        assert not goes_on.done()


async def test_who_has_no_such_account_any_more_watches_no_longer(following: Api, files: Path) -> None:
    async with (
        watching(following, "siti") as (stays, goes_on),
        watching(following, "budi") as (gone, told_gone),
        watching(following, "rina") as (moved, told_moved),
        watching(following, "joko") as (changed, told_changed),
    ):
        accounts = f"{STAYS} {account('rina', 'cs')} {account('joko', 'noc', 'a password that was changed')}"
        (files / "KABAR_ADMIN_ACCOUNTS").write_text(accounts)
        for told in (told_gone, told_moved, told_changed):
            assert await asyncio.wait_for(told, 60) == "signed-out"
        assert [await looked(one) for one in (gone, moved, changed)] == [303] * 3
        assert await looked(stays) == 200
        assert not goes_on.done()
