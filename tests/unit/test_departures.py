"""What becomes of deliveries whose last provider of the round goes away."""

from prometheus_client import CollectorRegistry

from common.contracts.vocabulary import AttemptState
from dispatcher.application.decide_outcomes import DecideOutcomes
from dispatcher.application.lookout import Lookout
from dispatcher.domain.lanes import lanes_among
from dispatcher.metrics import Metrics
from tests.support.dispatching.memory import DeliveriesInMemory, SendersInMemory, StoppedClock, sender
from tests.support.dispatching.model import FONNTE, PLAN, WABLAS, claimed, end_of, queued


async def test_what_only_a_provider_that_goes_could_take_is_offered_to_all_at_once() -> None:
    senders = SendersInMemory([sender("fonnte-1"), sender("wablas-1")])
    picture = Lookout(senders, StoppedClock(), (FONNTE, WABLAS))
    deliveries = DeliveriesInMemory(end_of(claimed(queued(), FONNTE), AttemptState.FAILED))
    decide = DecideOutcomes(deliveries, senders, picture, PLAN, Metrics(CollectorRegistry()))
    await picture.renew()
    await decide.overdue()
    assert deliveries.only["lane"] == WABLAS
    senders.documents[1]["paused"] = True
    await picture.renew()
    await decide.overdue()
    assert (deliveries.only["lane"], deliveries.only["retries"]) == ("fonnte,wablas", 0)


def test_the_lanes_among_some_providers_name_no_other() -> None:
    assert lanes_among(["wablas", "fonnte"]) == ["fonnte", "wablas", "fonnte,wablas", "wablas,fonnte"]
    assert lanes_among([]) == []
