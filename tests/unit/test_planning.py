"""From a notification and a member of its audience to a delivery."""

from datetime import datetime
from typing import Any

import pytest

from common.contracts.documents import DeliveryDocument
from common.contracts.vocabulary import NotificationStatus, Priority
from dispatcher.domain.audience import Refusal
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import plan_delivery
from tests.support.dispatching.model import START, ZONE, after, queued
from tests.support.dispatching.notifications import member, notification

NOTIFICATION = notification(created_at=START)


def planned(number: int = 1, text: str = "Halo", **changed: Any) -> DeliveryDocument:
    own = changed.pop("own", {})
    arguments: dict[str, Any] = {
        "position": 0,
        "text": text,
        "template": None,
        "route": ["fonnte", "wablas"],
        "refusal": None,
        "now": after(1),
        **changed,
    }
    arguments["departure"] = departure(NOTIFICATION, arguments["now"], ZONE)
    return plan_delivery(NOTIFICATION, member(number, **own), **arguments)


def test_planning_twice_gives_the_same_delivery() -> None:
    assert planned() == planned()
    assert planned(now=after(100))["_id"] == planned()["_id"]


def test_every_recipient_has_a_delivery_of_its_own() -> None:
    assert len({planned(n)["_id"] for n in range(1000)}) == 1000


def test_items_with_a_text_of_their_own_to_one_recipient_are_different_deliveries() -> None:
    own = [planned(text=text, own={"message": text})["_id"] for text in ("Halo", "Selamat pagi", "Halo")]
    assert len(set(own)) == 2
    assert own[0] == own[2]


def test_a_queued_delivery_lines_up_by_the_age_of_its_notification_until_its_validity_ends() -> None:
    delivery = planned(position=7)
    assert (delivery["status"], delivery["lane"], delivery["queued_at"]) == ("queued", "fonnte,wablas", START)
    assert (delivery["wake_at"], delivery["position"]) == (NOTIFICATION["expires_at"], 7)
    assert (delivery["attempts"], delivery["attempts_made"], delivery["retries"]) == ([], 0, 0)


@pytest.mark.parametrize("seconds", [-5.0, 0.0])
def test_a_time_that_has_passed_already_is_now(seconds: float) -> None:
    delivery = queued(send_at=after(seconds))
    assert (delivery["status"], delivery["queued_at"]) == ("queued", START)


@pytest.mark.parametrize("send_at", [None, after(60)])
def test_of_a_cancelled_notification_every_delivery_is_cancelled(send_at: datetime | None) -> None:
    delivery = queued(status=NotificationStatus.CANCELLED, send_at=send_at)
    assert (delivery["status"], delivery["reason"], delivery["code"]) == (
        "cancelled",
        "its notification was cancelled",
        None,
    )
    assert not {"lane", "wake_at"} & delivery.keys()


def test_a_scheduled_delivery_is_in_no_lane() -> None:
    delivery = queued(send_at=after(60))
    assert (delivery["status"], delivery["wake_at"]) == ("scheduled", after(60))
    assert "lane" not in delivery


@pytest.mark.parametrize(("priority", "rank"), [("critical", 0), ("high", 1), ("normal", 2), ("low", 3)])
def test_priorities_are_ranks_and_a_direct_send_goes_first(priority: str, rank: int) -> None:
    assert queued(priority=Priority(priority))["rank"] == rank
    assert queued(priority=Priority(priority), direct=True)["rank"] == 0


def test_what_can_never_be_sent_ends_visibly() -> None:
    delivery = planned(route=[], refusal=Refusal("EMPTY_MESSAGE", "its text is empty"))
    assert (delivery["status"], delivery["code"], delivery["reason"]) == (
        "failed",
        "EMPTY_MESSAGE",
        "its text is empty",
    )
    assert not {"lane", "wake_at"} & delivery.keys()
    assert delivery["timeline"][0]["cause"] == "its text is empty"


def test_a_provider_whose_text_limit_is_too_small_is_left_out_and_said() -> None:
    delivery = planned(route=["wablas"])
    assert delivery["lane"] == "wablas"
    assert "without fonnte" in delivery["timeline"][0]["cause"]


def test_what_is_planned_of_a_notification_that_a_backup_brought_back_is_held_for_a_person() -> None:
    brought_back = {**NOTIFICATION, "restored_at": after(5)}
    arguments: dict[str, Any] = {
        "position": 0, "text": "Halo", "template": None, "route": ["fonnte"], "now": after(6),
        "departure": departure(NOTIFICATION, after(6), ZONE),
    }  # fmt: skip
    held = plan_delivery(brought_back, member(1), refusal=None, **arguments)  # type: ignore[arg-type]
    assert (held["status"], held["code"], held["route"]) == ("unknown", "UNKNOWN", ["fonnte"])
    assert "lane" not in held
    refused = plan_delivery(brought_back, member(1), refusal=Refusal("INVALID_PHONE", "no"), **arguments)  # type: ignore[arg-type]
    assert (refused["status"], refused["code"]) == ("failed", "INVALID_PHONE")
    cancelled = {**brought_back, "status": NotificationStatus.CANCELLED}
    assert plan_delivery(cancelled, member(1), refusal=None, **arguments)["status"] == "cancelled"  # type: ignore[arg-type]
