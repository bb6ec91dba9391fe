"""MongoDB hangs, RabbitMQ dies: the dispatcher says so, stays up and resumes by itself."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from local_stack.servers import PrivateMongo, PrivateRabbitMQ
from tests.integration.test_dispatcher_crashes import calls_reach, check_nobody_got_it_twice
from tests.support.dispatching.notifications import member, notification
from tests.support.dispatching.polling import until
from tests.support.dispatching.process import DispatcherProcess
from tests.support.dispatching.world import world
from tests.support.servers import written_down

OUTAGE_SECONDS = 10.0


async def says(process: DispatcherProcess, status: int) -> None:
    async def is_so() -> bool:
        return await process.readiness() == status

    await until(is_so, seconds=40, every=0.1)


async def test_it_resumes_after_mongodb_hung(
    dispatching_rabbitmq_url: str, private_mongodb: Callable[[], PrivateMongo], tmp_path: Path
) -> None:
    mongodb = private_mongodb()
    async with world(dispatching_rabbitmq_url, mongodb.url, tmp_path) as dispatching:
        process = await dispatching.dispatcher()
        gateway = await dispatching.gateway()
        await says(process, 200)
        await dispatching.accept(*(notification([member(n) for n in range(k * 300, k * 300 + 300)]) for k in range(4)))
        await calls_reach([gateway], 100)
        mongodb.pause()
        try:
            await says(process, 503)
            await asyncio.sleep(OUTAGE_SECONDS)  # longer than any operation is given
        finally:
            mongodb.resume()
        await says(process, 200)
        found = await dispatching.settled(1_200, seconds=60)
        check_nobody_got_it_twice(found, gateway)
        assert process.alive


async def test_it_resumes_after_rabbitmq_was_killed(
    private_rabbitmq: Callable[[], PrivateRabbitMQ], mongodb_url: str, tmp_path: Path
) -> None:
    rabbitmq = private_rabbitmq()
    async with world(rabbitmq.url, mongodb_url, tmp_path) as dispatching:
        process = await dispatching.dispatcher()
        gateways = [await dispatching.gateway(provider) for provider in ("fonnte", "wablas")]
        await asyncio.to_thread(written_down, rabbitmq)
        await dispatching.accept(*(notification([member(n) for n in range(k * 300, k * 300 + 300)]) for k in range(4)))
        await calls_reach(gateways, 100)
        rabbitmq.kill()
        await says(process, 503)
        await dispatching.accept(notification([member(5_000)]), announce=False)
        await dispatching.becomes(status="queued", recipient=member(5_000)["to"])
        rabbitmq.start()
        await says(process, 200)
        found = await dispatching.settled(1_201, seconds=60)
        check_nobody_got_it_twice(found, *gateways)
        assert {delivery["retries"] for delivery in found} == {0}
