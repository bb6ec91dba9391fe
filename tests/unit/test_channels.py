"""One delivery for each recipient and channel, and a visible one where somebody has no address."""

from typing import Any

import pytest

from api_gateway.application.reach_people import reach
from api_gateway.domain.audience import Audience
from api_gateway.domain.channels import Channels, Reach, channels_for
from api_gateway.domain.refusals import Code, Conflicting, Refused
from common.catalogue.definitions import BOTH, DEFINITIONS, Route
from common.contracts.vocabulary import Channel, NotificationType
from dispatcher.domain.audience import customer, named, stranger
from dispatcher.domain.hours import departure
from dispatcher.domain.planning import plan_delivery
from tests.support.dispatching.model import START, ZONE, after
from tests.support.dispatching.notifications import notification

WHATSAPP, EMAIL = Channel.WHATSAPP, Channel.EMAIL
SARI = {"_id": "C-1", "phone": "6281200000001", "email": "Sari@Example.com"}
REMINDER, WELCOME = NotificationType.PAYMENT_REMINDER, NotificationType.WELCOME


def asked(*named_channels: Channel, has_email: bool = True, mail_is_on: bool = True, direct: bool = False) -> Channels:
    route = Route(channels=BOTH)
    named_so = named_channels or None
    return channels_for(REMINDER, route, named_so, has_email=has_email, mail_is_on=mail_is_on, direct=direct)


def test_reminders_go_by_both_and_everything_else_by_whatsapp() -> None:
    by_both = {kind for kind, one in DEFINITIONS.items() if one.route.channels == BOTH}
    assert by_both == {REMINDER, NotificationType.PAYMENT_OVERDUE}


def test_the_route_decides_unless_the_request_does() -> None:
    assert asked().told == (WHATSAPP, EMAIL)
    assert asked(EMAIL).told == (EMAIL,)
    assert asked(direct=True).told == (WHATSAPP,)
    assert asked(has_email=False).told == (WHATSAPP,)


def test_channels_that_cannot_be_are_refused() -> None:
    with pytest.raises(Refused, match="has no e-mail text"):
        asked(EMAIL, has_email=False)
    with pytest.raises(Conflicting, match="MAIL_HOST is not set"):
        asked(EMAIL, mail_is_on=False)
    with pytest.raises(Refused, match="one channel"):
        asked(WHATSAPP, EMAIL, direct=True)
    assert asked(WHATSAPP, EMAIL, mail_is_on=False).told == (WHATSAPP, EMAIL)


@pytest.mark.parametrize(
    ("given", "known", "members"),
    [
        (SARI, BOTH, [{"to": "6281200000001"}, {"to": "sari@example.com", "channel": "email"}]),
        ({"_id": "C-1", "phone": "6281200000001"}, BOTH, [
            {"to": "6281200000001"},
            {"to": "customer:C-1", "channel": "email", "unreachable": "customer C-1 has no e-mail address"},
        ]),
        ({"_id": "C-1", "email": "sari@example.com"}, BOTH, [
            {"to": "customer:C-1", "unreachable": "customer C-1 has no phone number"},
            {"to": "sari@example.com", "channel": "email"},
        ]),
        ({"_id": "C-1"}, BOTH, []),
        ({"_id": "C-1", "phone": "6281200000001"}, (EMAIL,), []),
    ],
)  # fmt: skip
def test_a_person_is_a_member_for_each_channel_or_none(
    given: dict[str, Any], known: tuple[Channel, ...], members: list[dict[str, str]]
) -> None:
    assert reach("customer", given, asked(*known)).members == members


def test_who_can_only_be_told_by_e_mail_is_not_while_that_is_off() -> None:
    reached = reach("customer", {"_id": "C-1", "email": "sari@example.com"}, asked(mail_is_on=False))
    assert (reached.members, reached.code) == ([], Code.INVALID_PHONE)
    assert "has no phone number" in reached.error
    assert "MAIL_HOST" in reached.error


def test_recipients_of_a_request_go_by_what_they_are() -> None:
    audience = Audience(Reach(no_mail=None))
    for index, value in enumerate(["081200000001", "Sari@Example.com", "sari@example.com", "sari@example", "12@g.us"]):
        audience.add(index, value)
    assert audience.members == [{"to": "6281200000001"}, {"to": "sari@example.com", "channel": "email"}]
    assert [(one.index, one.code) for one in audience.rejected] == [
        (2, Code.DUPLICATE_RECIPIENT), (3, Code.INVALID_EMAIL), (4, Code.INVALID_PHONE),
    ]  # fmt: skip
    assert audience.people == 2
    assert "ari" not in audience.rejected[1].value.partition("@")[0]


@pytest.mark.parametrize(
    ("channels", "value", "code"),
    [
        (asked(WHATSAPP), "sari@example.com", Code.VALIDATION_ERROR),
        (asked(EMAIL), "081200000001", Code.VALIDATION_ERROR),
        (asked(has_email=False), "sari@example.com", Code.NO_EMAIL_TEXT),
        (asked(mail_is_on=False), "sari@example.com", Code.CHANNEL_OFF),
    ],
)
def test_a_recipient_whose_channel_is_not_wanted_or_not_there_is_rejected(
    channels: Channels, value: str, code: Code
) -> None:
    audience = Audience(channels.reach)
    audience.add(0, value)
    assert (audience.members, [one.code for one in audience.rejected]) == ([], [code])


def test_people_who_share_an_address_are_told_there_once() -> None:
    audience = Audience()
    audience.add_person(reach("staff", SARI, asked()).members)
    audience.add_person(reach("staff", {**SARI, "_id": "C-2", "email": "dewi@example.com"}, asked()).members)
    audience.add_person(reach("staff", {**SARI, "_id": "C-3"}, asked()).members)
    assert [one["to"] for one in audience.members] == ["6281200000001", "sari@example.com", "dewi@example.com"]
    assert audience.people == 2


def deliveries(row: dict[str, Any], channels: tuple[Channel, ...] = BOTH) -> list[dict[str, Any]]:
    of = notification(created_at=START, channels=list(channels), audience_query={"rows": "customers"})
    return [
        dict(
            plan_delivery(
                of,
                one.member,
                position=0,
                text="Halo",
                subject_line="Tagihan" if one.member.get("channel") else None,
                template=None,
                route=["email"] if one.member.get("channel") else ["fonnte", "wablas"],
                refusal=one.refusal,
                departure=departure(of, after(1), ZONE),
                now=after(1),
            )
        )
        for one in customer(row, {}, channels)
    ]


def test_a_row_that_is_found_has_one_delivery_for_each_channel_and_always_the_same() -> None:
    planned = deliveries(SARI)
    assert [(one["channel"], one["recipient"], one["lane"]) for one in planned] == [
        ("whatsapp", "6281200000001", "fonnte,wablas"), ("email", "sari@example.com", "email"),
    ]  # fmt: skip
    assert planned[1]["subject_line"] == "Tagihan"
    assert len({one["_id"] for one in planned}) == 2
    assert [one["_id"].partition("-")[0] for one in planned] == [planned[0]["_id"].partition("-")[0]] * 2


def test_nobody_can_be_asked_about_an_e_mail_so_nothing_is_waited_for() -> None:
    assert [one["unknown_wait_seconds"] for one in deliveries(SARI)] == [60.0, 0.0]


@pytest.mark.parametrize(
    ("row", "outcomes"),
    [
        ({"_id": "C-1", "phone": "6281200000001"}, [("queued", None), ("suppressed", "NO_ADDRESS")]),
        ({"_id": "C-1", "email": "sari@example.com"}, [("suppressed", "NO_ADDRESS"), ("queued", None)]),
        ({"_id": "C-1"}, [("failed", "INVALID_PHONE"), ("failed", "INVALID_EMAIL")]),
    ],
)
def test_who_lacks_an_address_has_a_visible_outcome(
    row: dict[str, Any], outcomes: list[tuple[str, str | None]]
) -> None:
    planned = deliveries(row)
    assert [(one["status"], one["code"]) for one in planned] == outcomes
    assert all(one["reason"].startswith("customer C-1 has no ") for one in planned if one["status"] != "queued")


def test_a_stranger_has_one_for_each_channel_too() -> None:
    assert [one.member.get("channel") for one in stranger("C-9", {}, BOTH)] == [None, "email"]


def test_a_member_without_an_address_is_told_by_its_other_channel() -> None:
    [one] = named([{"to": "customer:C-1", "channel": "email", "unreachable": "customer C-1 has no e-mail address"}])
    assert one.refusal is not None
    assert (one.refusal.code, one.refusal.reason) == ("NO_ADDRESS", "customer C-1 has no e-mail address")
