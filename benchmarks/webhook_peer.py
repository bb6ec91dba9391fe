"""The peer: an endpoint that publishes what is posted to a durable quorum queue and answers once that is confirmed."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aio_pika
from fastapi import FastAPI, Request

QUEUE = "peer.webhooks"


@asynccontextmanager
async def connected(app: FastAPI) -> AsyncIterator[None]:
    async with await aio_pika.connect(os.environ["RABBITMQ_URL"]) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.declare_queue(QUEUE, durable=True, arguments={"x-queue-type": "quorum"})
        app.state.exchange = channel.default_exchange
        yield


app = FastAPI(lifespan=connected)


@app.get("/livez")
async def live() -> None: ...


@app.post("/webhooks")
async def take(request: Request) -> dict[str, bool]:
    message = aio_pika.Message(await request.body(), delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
    await request.app.state.exchange.publish(message, routing_key=QUEUE)
    return {"status": True}
