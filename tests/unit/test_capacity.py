"""The estimated finish is the slowest channel's, each with what waits before it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from api_gateway.application.capacity import Capacity
from api_gateway.application.ports import Queue, Senders, Waiting
from common.contracts.vocabulary import Channel, Priority
from common.mongo.gate import Limits

NOW = datetime(2025, 11, 15, 1, 0, tzinfo=UTC)
WHATSAPP, EMAIL = Channel.WHATSAPP, Channel.EMAIL
ROUTE = ("fonnte", "wablas")


class Clock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Picture:
    """Queue and senders at once."""

    providers: Sequence[str]
    lanes: list[Waiting] = field(default_factory=list)
    accepted: Mapping[tuple[str, int], int] = field(default_factory=dict)

    async def all(self) -> list[dict[str, Any]]:
        return [{"_id": f"{name}-1", "provider": name, "gateway_seen_at": NOW} for name in self.providers]

    async def waiting(self) -> list[Waiting]:
        return self.lanes

    async def unplanned(self) -> Mapping[tuple[str, int], int]:
        return self.accepted


async def capacity(picture: Picture, *, mail_is_on: bool = True) -> Capacity:
    made = Capacity(
        cast("Queue", picture),
        cast("Senders", picture),
        Clock(),
        lambda provider: Limits(gap=1.0 if provider == "email" else 10.0),
        mail_is_on=mail_is_on,
    )
    await made.refresh()
    return made


def seconds(of: Capacity, **deliveries: int) -> float | None:
    by_channel = {Channel(name): count for name, count in deliveries.items()}
    ends = of.finish(ROUTE, Priority.NORMAL, by_channel, send_at=None)
    return None if ends is None else (ends - NOW).total_seconds()


async def test_each_channel_has_its_own_pace_and_the_slowest_decides() -> None:
    both = await capacity(Picture(("fonnte", "email")))
    assert seconds(both, whatsapp=11) == 100
    assert seconds(both, email=11) == 10
    assert seconds(both, whatsapp=2, email=101) == 100
    assert seconds(both, whatsapp=11, email=11) == 100


async def test_what_waits_for_one_channel_is_not_before_the_other() -> None:
    lanes = [Waiting("fonnte,wablas", 2, 30, NOW), Waiting("email", 2, 5, NOW)]
    both = await capacity(Picture(("fonnte", "email"), lanes, {("email", 2): 5, ("whatsapp", 3): 50}))
    assert seconds(both, email=1) == 10
    assert seconds(both, whatsapp=1) == 300
    both.note(Priority.NORMAL, {WHATSAPP: 1, EMAIL: 10})
    assert seconds(both, email=1) == 20
    assert seconds(both, whatsapp=1) == 310


async def test_while_a_channel_has_no_sender_nobody_can_say_when() -> None:
    assert seconds(await capacity(Picture(("fonnte",))), whatsapp=1, email=1) is None
    assert seconds(await capacity(Picture(("fonnte",))), whatsapp=1) == 0


async def test_e_mail_that_is_switched_off_is_waited_for_by_nobody() -> None:
    without = await capacity(Picture(("fonnte",)), mail_is_on=False)
    assert seconds(without, whatsapp=2, email=2) == 10
    assert without.through(ROUTE, Priority.LOW, (WHATSAPP, EMAIL), send_at=None) == NOW + timedelta(0)
