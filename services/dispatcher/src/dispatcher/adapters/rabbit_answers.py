"""Answers to surveys, told as a fact like any other."""

from common.contracts.facts import SurveyAnswered
from common.messaging.broker import Broker
from common.topology.declarations import EVENTS


class RabbitAnswers:
    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def answered(self, answer: SurveyAnswered) -> None:
        await self._broker.publish(EVENTS, answer)
