"""Many envelopes handed to RabbitMQ in one go: one by one, most of the work is the library's and none of it AMQP."""

import asyncio
from collections.abc import Iterable

import aio_pika
import aiormq
from aiormq.abc import ChannelFrame, ConfirmationFrameType
from aiormq.exceptions import ChannelInvalidStateError
from pamqp.body import ContentBody
from pamqp.commands import Basic
from pamqp.frame import marshal
from pamqp.header import ContentHeader

from common.topology.declarations import UNHEARD

Confirm = asyncio.Future[ConfirmationFrameType]


async def publish_together(
    channel: aiormq.Channel, exchange: str, messages: Iterable[tuple[str, aio_pika.Message]]
) -> list[Confirm]:
    """Write messages with their routing keys to a confirming channel; one confirm to wait for each.

    A confirm ends like one of the channel's own publishes: it raises what the broker refuses or takes to no queue, and
    is cancelled when the channel is lost.
    """
    listed = list(messages)
    payload = b"".join(_frames(channel, exchange, routing_key, message) for routing_key, message in listed)
    async with channel.lock:  # nothing else takes a delivery tag until these are on their way
        if channel.is_closed:
            raise ChannelInvalidStateError("the channel is closed")
        await channel.write_queue.put(ChannelFrame(payload=payload, should_close=False))
        # Nothing is awaited from here on: what never got into the queue, which may be full, has taken no tag either.
        return [_awaited(channel, message) for _, message in listed]


def _frames(channel: aiormq.Channel, exchange: str, routing_key: str, message: aio_pika.Message) -> bytes:
    most = channel.max_content_size
    bodies = [message.body[start : start + most] for start in range(0, len(message.body), most)]
    publish = Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=routing_key not in UNHEARD)
    header = ContentHeader(properties=message.properties, body_size=len(message.body))
    content = b"".join(marshal(ContentBody(body), channel.number) for body in bodies)
    return marshal(publish, channel.number) + marshal(header, channel.number) + content


def _awaited(channel: aiormq.Channel, message: aio_pika.Message) -> Confirm:
    """What the channel resolves when the broker answers for the next message; a return finds it by the message's id."""
    confirm: Confirm = channel.create_future()
    channel.delivery_tag += 1
    tag, identity = channel.delivery_tag, message.message_id or ""
    channel.confirmations[tag] = confirm
    channel.message_id_delivery_tag[identity] = tag

    def forget(_: Confirm) -> None:
        if channel.message_id_delivery_tag.get(identity) == tag:
            del channel.message_id_delivery_tag[identity]

    confirm.add_done_callback(forget)
    return confirm
