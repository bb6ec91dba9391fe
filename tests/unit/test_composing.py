"""What a broadcast says to each of its customers, and what it costs to say it."""

from collections.abc import Sequence
from datetime import datetime

from common.catalogue.texts import Texts, builtin_texts
from common.config.whatsapp import PROVIDERS
from common.contracts.documents import TemplateDocument
from common.contracts.vocabulary import BY_WHATSAPP, NotificationType
from dispatcher.application.compose_deliveries import Composed, ComposeDeliveries
from dispatcher.application.lookout import Lookout
from dispatcher.domain.audience import customer
from dispatcher.domain.repeats import OnlyOnce
from tests.support.calls import counted_calls
from tests.support.dispatching import directory
from tests.support.dispatching.memory import SendersInMemory, StoppedClock, SuppressionsInMemory
from tests.support.dispatching.model import ZONE
from tests.support.load.broadcasting import WORDS

BROADCAST = directory.broadcast(template="", data=WORDS)


class NoTemplates:
    async def get(self, identity: str) -> TemplateDocument:
        raise LookupError(identity)


class NothingTold:
    async def among(self, _: Sequence[OnlyOnce]) -> dict[str, datetime]:
        return {}


def composing() -> ComposeDeliveries:
    lookout = Lookout(SendersInMemory(), StoppedClock(), PROVIDERS)
    return ComposeDeliveries(NoTemplates(), SuppressionsInMemory(), NothingTold(), lookout, ZONE)


async def composed(texts: Texts | None) -> Composed:
    rows = [directory.customer(number) for number in range(100)]
    addressees = [one for row in rows for one in customer(row, WORDS, [*BY_WHATSAPP])]
    return await composing()(BROADCAST, addressees, texts, first=0)


async def test_what_a_broadcast_tells_everybody_is_rendered_once_and_says_the_same() -> None:
    texts, whole = await composing().texts(BROADCAST), builtin_texts(NotificationType.PROMOTION)
    with counted_calls() as calls_each:
        each = await composed(texts)
    with counted_calls() as calls_whole:
        assert (await composed(whole)).deliveries == each.deliveries
    assert calls_each.total() < calls_whole.total() / 2
