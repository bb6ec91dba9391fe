"""A consumer that is killed by every envelope it is handed, and started again, until none comes any more.

python -m tests.support.dying_consumer AMQP_URL
Prints how often it died.
"""

import asyncio
import os
import signal
import sys
from typing import Any

from prometheus_client import CollectorRegistry

from common.contracts.events import NotificationAccepted
from common.messaging.broker import Envelope, connect
from common.topology.declarations import NOTIFICATIONS

PATIENCE_SECONDS = 2
MOST_DEATHS = 100


async def consume(url: str) -> None:
    async def die(_: Envelope[Any]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    async with connect(url, name="dying", registry=CollectorRegistry()) as broker:
        broker.subscribe(NOTIFICATIONS, NotificationAccepted, die, prefetch=1)
        await asyncio.wait({asyncio.create_task(broker.run())}, timeout=PATIENCE_SECONDS)
    os._exit(0)


def main(url: str) -> None:
    for deaths in range(MOST_DEATHS):
        child = os.fork()
        if not child:
            asyncio.run(consume(url))
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(deaths)  # noqa: T201
            return


if __name__ == "__main__":
    main(sys.argv[1])
