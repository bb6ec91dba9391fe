"""A provider says that a device went or came back: its sender goes out at once, or is tried again at once."""

from dataclasses import dataclass

from common.contracts.events import SenderReported
from common.contracts.vocabulary import FailureClass
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.domain import circuit


@dataclass(frozen=True)
class HearOfSenders:
    decide: DecideOutcomes

    async def __call__(self, news: SenderReported) -> None:
        at = min(news.at, self.decide.lookout.now())
        if news.connected:
            back = circuit.answered_back if news.checked else circuit.reported_back
            await self.decide.settle(news.sender, lambda before: back(before, at))
        else:
            reason = news.reason or "the provider says that the device is disconnected"
            failure = news.failure or FailureClass.DISCONNECTED
            await self.decide.settle(news.sender, lambda before: circuit.reported_away(before, at, reason, failure))
