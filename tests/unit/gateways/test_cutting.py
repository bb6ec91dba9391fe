"""A gateway that ends cuts every call under way, whatever one of them is just doing."""

import asyncio

import httpx

from gateway.adapters.http_provider import HttpProvider
from gateway.domain.answer import Refused
from gateway_fonnte.domain.dialect import FonnteDialect
from tests.support.gateways.answering import ACCOUNT, asked_for, permit


class Silent(httpx.AsyncBaseTransport):
    """Never answers."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.Event().wait()
        raise AssertionError(request)


async def test_a_call_that_ends_by_itself_at_that_moment_keeps_no_other_from_being_cut() -> None:
    provider = HttpProvider(FonnteDialect("http://fonnte.test/send"), Silent(), connect_timeout=60, read_timeout=60)

    def call() -> asyncio.Task[object]:
        return asyncio.create_task(provider.send(ACCOUNT, asked_for(), permit))

    ending = [call() for _ in range(3)]
    await asyncio.sleep(0)
    provider.cut()
    under_way = [call() for _ in range(20)]
    await asyncio.sleep(0)  # the first are told to end and have not yet; the others are under way
    provider.cut()
    async with asyncio.timeout(2):
        answers = await asyncio.gather(*ending, *under_way)
    assert {type(answer) for answer in answers} == {Refused}
