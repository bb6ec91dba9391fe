"""Whatever order outcomes, wake-ups, duplicates and late words come in, a delivery keeps its promises.

A world is played around one delivery: dispatchers that claim, gateways that start or do not, a provider
whose ledger knows what it was really asked to send, and words that come twice, late or never.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common.contracts.documents import DeliveryDocument
from common.contracts.events import AttemptOutcome
from common.contracts.vocabulary import WAITING, AttemptState, DeliveryStatus, FailureClass, OnUnknown
from dispatcher.domain.change import Change
from dispatcher.domain.decisions import decide, wake
from dispatcher.domain.rounds import Situation
from tests.support.dispatching.model import PLAN, START, after, applied, claimed, queued, told

PROVIDERS = ("fonnte", "wablas", "woowa")
FAILURES = [FailureClass.TRANSPORT, FailureClass.TRANSPORT, FailureClass.QUOTA, FailureClass.BUG, FailureClass.MESSAGE]
NOT_SENT = frozenset({AttemptState.FAILED, AttemptState.MISSED, AttemptState.REVOKED})


@dataclass
class ProviderCall:
    """One line of the provider's ledger, and what was told of it."""

    number: int
    outcomes: list[AttemptOutcome] = field(default_factory=list)


class World:
    """Does one thing after another that could happen to a delivery, as `chance` will have it."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.seconds = 0.0
        self.usable: frozenset[str] = frozenset(PROVIDERS)
        self.ledger: dict[int, ProviderCall] = {}
        self.delivery: DeliveryDocument = queued(
            on_unknown=chance.choice(list(OnUnknown)),
            unknown_wait_seconds=chance.choice([0.0, 60.0]),
            validity=chance.choice([20.0, 86_400.0, 86_400.0]),
            route=chance.sample(PROVIDERS, chance.randint(1, 3)),
        )

    @property
    def attempt(self) -> Any:
        return self.delivery["attempt"]

    @property
    def now(self) -> Situation:
        return Situation(after(self.seconds), self.usable, PLAN)

    def possible(self) -> list[Callable[[], None]]:
        """What could happen next."""
        state = self.attempt["state"] if self.attempt else None
        happening: list[Callable[[], None]] = []
        if "wake_at" in self.delivery:
            happening += [self.time_passes, self.its_deadline_passes_and_a_sweeper_looks]
        if "lane" in self.delivery:
            happening = [self.time_passes, self.providers_come_and_go]
            if self.delivery["wake_at"] < self.delivery["expires_at"]:
                happening.append(self.its_deadline_passes_and_a_sweeper_looks)
            if after(self.seconds) >= self.delivery["expires_at"]:
                happening = [self.its_deadline_passes_and_a_sweeper_looks]
            else:
                happening += [self.a_dispatcher_claims] * 4
        if state == AttemptState.REQUESTED:
            happening += [self.its_gateway_starts_the_call] * 3 + [self.its_gateway_misses_the_deadline]
        if state == AttemptState.STARTED:
            happening += [self.the_provider_answers] * 3
        if any(attempt["outcome"] == AttemptState.UNKNOWN for attempt in self.delivery["attempts"]):
            happening.append(self.late_word_comes)
        if any(call.outcomes for call in self.ledger.values()):
            happening.append(self.a_word_is_told_again)
        return happening

    def time_passes(self) -> None:
        self.seconds += self.chance.choice([0.1, 1.0, 3.0])

    def providers_come_and_go(self) -> None:
        self.usable = frozenset(self.chance.sample(PROVIDERS, self.chance.randint(0, 3)))

    def a_dispatcher_claims(self) -> None:
        provider = self.chance.choice(self.delivery["lane"].split(","))
        self.delivery = claimed(self.delivery, provider, at=self.seconds, started=False)

    def its_gateway_starts_the_call(self) -> None:
        self.check_a_new_call_is_allowed()
        number = self.attempt["number"]
        self.ledger[number] = ProviderCall(number)
        attempt = {**self.attempt, "state": AttemptState.STARTED, "started_at": after(self.seconds)}
        changed: Any = {**self.delivery, "attempt": attempt, "wake_at": after(self.seconds + 60)}
        self.delivery = changed

    def its_gateway_misses_the_deadline(self) -> None:
        self.tell(told(self.delivery, AttemptState.MISSED, at=self.seconds))

    def the_provider_answers(self) -> None:
        state = self.chance.choice([AttemptState.UNKNOWN, AttemptState.FAILED, AttemptState.SUCCEEDED])
        failure = self.chance.choice(FAILURES) if state is AttemptState.FAILED else None
        outcome = told(self.delivery, state, failure, at=self.seconds)
        self.ledger[outcome.number].outcomes.append(outcome)
        self.tell(outcome)

    def late_word_comes(self) -> None:
        """A call has one true outcome, so only one that nobody could tell can be told anew."""
        past = self.chance.choice([a for a in self.delivery["attempts"] if a["outcome"] == AttemptState.UNKNOWN])
        state = self.chance.choice([AttemptState.SUCCEEDED, AttemptState.FAILED, AttemptState.MISSED])
        word = AttemptOutcome(
            delivery_id=self.delivery["_id"],
            number=past["number"],
            claim=f"claim-{past['number']}",
            sender=past["sender"],
            state=state,
            failure=self.chance.choice(FAILURES) if state is AttemptState.FAILED else None,
            started_at=past["started_at"],
            finished_at=after(self.seconds),
        )
        self.ledger[past["number"]].outcomes.append(word)
        self.tell(word)

    def a_word_is_told_again(self) -> None:
        self.tell(self.chance.choice([outcome for call in self.ledger.values() for outcome in call.outcomes]))

    def its_deadline_passes_and_a_sweeper_looks(self) -> None:
        self.seconds = max(self.seconds, (self.delivery["wake_at"] - START) / timedelta(seconds=1))
        self.save(wake(self.delivery, self.now))

    def tell(self, outcome: AttemptOutcome) -> None:
        self.save(decide(self.delivery, outcome, self.now))

    def save(self, change: Change | None) -> None:
        if change is not None:
            self.delivery = applied(self.delivery, change)

    def check_a_new_call_is_allowed(self) -> None:
        earlier = [attempt for attempt in self.delivery["attempts"] if attempt["number"] in self.ledger]
        assert all(attempt["outcome"] != AttemptState.SUCCEEDED for attempt in earlier), "sent, and called again"
        uncertain = [attempt for attempt in earlier if attempt["outcome"] not in NOT_SENT]
        if uncertain:
            assert self.delivery["possible_duplicate"], f"called again while {uncertain} is unknown"
            assert self.delivery["on_unknown"] == OnUnknown.RESEND, "held means never a second call"

    def it_is_an_end_or_somebody_will_look(self) -> None:
        status = DeliveryStatus(self.delivery["status"])
        if status in WAITING:
            assert "wake_at" in self.delivery
        else:
            assert not {"wake_at", "lane"} & self.delivery.keys()
            assert self.attempt is None
        if "lane" in self.delivery:
            assert status is DeliveryStatus.QUEUED
            assert self.attempt is None
            assert set(self.delivery["lane"].split(",")) <= set(self.delivery["route"])
        if self.attempt is not None:
            assert status is DeliveryStatus.SENDING

    def its_outcome_is_the_ledgers(self) -> None:
        outcomes = {attempt["number"]: attempt["outcome"] for attempt in self.delivery["attempts"]}
        assert len(outcomes) == len(self.delivery["attempts"]), "an attempt ends once"
        succeeded = [number for number, outcome in outcomes.items() if outcome == AttemptState.SUCCEEDED]
        if self.delivery["status"] == DeliveryStatus.SENT:
            assert succeeded
            assert self.delivery["sent_at"] is not None
        elif succeeded:
            assert self.attempt is not None, "known to be sent, and not said"

    def what_may_have_arrived_twice_is_marked(self) -> None:
        reached = [a for a in self.delivery["attempts"] if a["outcome"] not in NOT_SENT]
        if len(reached) > 1:
            assert self.delivery["possible_duplicate"]

    def check(self) -> None:
        self.it_is_an_end_or_somebody_will_look()
        self.its_outcome_is_the_ledgers()
        self.what_may_have_arrived_twice_is_marked()

    def run_out(self) -> None:
        """Providers answer from now on: it has to end."""
        self.usable = frozenset(PROVIDERS)
        for _ in range(20):
            if self.delivery["status"] not in WAITING:
                return
            if "lane" in self.delivery and after(self.seconds) < self.delivery["expires_at"]:
                self.delivery = claimed(self.delivery, self.delivery["lane"].split(",")[0], at=self.seconds)
                self.tell(told(self.delivery, AttemptState.SUCCEEDED, at=self.seconds))
                assert self.delivery["status"] == DeliveryStatus.SENT
            else:
                self.its_deadline_passes_and_a_sweeper_looks()
            self.check()
        raise AssertionError(f"it does not end: {self.delivery}")


@settings(max_examples=1000, deadline=None, derandomize=True, database=None)
@given(chance=st.randoms(use_true_random=False), steps=st.integers(1, 50))
def test_whatever_happens_to_it_a_delivery_keeps_its_promises(chance: random.Random, steps: int) -> None:
    world = World(chance)
    for _ in range(steps):
        happening = world.possible()
        if not happening:
            break
        chance.choice(happening)()
        world.check()
    world.run_out()


def test_with_providers_that_always_fail_it_ends_all_the_same() -> None:
    delivery = queued()
    seconds = 0.0
    plan = replace(PLAN, last=5.0)
    for _ in range(100):
        if delivery["status"] not in WAITING:
            break
        now = Situation(after(seconds), PROVIDERS, plan)
        if "lane" in delivery:
            delivery = claimed(delivery, delivery["lane"].split(",")[0], at=seconds)
            failing = told(delivery, AttemptState.FAILED, FailureClass.TRANSPORT, at=seconds)
            delivery = applied(delivery, decide(delivery, failing, now))
        else:
            seconds = (delivery["wake_at"] - START) / timedelta(seconds=1)
            delivery = applied(delivery, wake(delivery, replace(now, now=after(seconds))))
    assert (delivery["status"], delivery["code"], len(delivery["attempts"])) == ("failed", "RETRY_FAILED", 10)
