"""A provider says that a device went or came back: its sender goes out at once, or is tried again at once."""

from dataclasses import dataclass

from common.contracts.events import SenderReported
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.domain import circuit


@dataclass(frozen=True)
class HearOfSenders:
    decide: DecideOutcomes

    async def __call__(self, news: SenderReported) -> None:
        at = min(news.at, self.decide.lookout.now())
        if news.connected:
            await self.decide.settle(news.sender, lambda before: circuit.reported_back(before, at))
        else:
            reason = news.reason or "the provider says that the device is disconnected"
            await self.decide.settle(news.sender, lambda before: circuit.reported_away(before, at, reason))
