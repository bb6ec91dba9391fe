"""What a request may say, decided without a server."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import jwt
import pytest

from api_gateway.adapters.tokens import LEEWAY_SECONDS, Rules, Tokens
from api_gateway.domain.access import Caller, demand
from api_gateway.domain.audience import Audience
from api_gateway.domain.moments import moment, send_time
from api_gateway.domain.refusals import Code, Forbidden, Refused, Unauthenticated
from api_gateway.domain.texts import check_otp, check_source, check_text, check_values
from common.contracts.vocabulary import Role

NOW = datetime(2025, 11, 15, 2, 0, tzinfo=UTC)
JAKARTA = ZoneInfo("Asia/Jakarta")
FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}
SECRET = "0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-11-15T10:00:00+07:00", NOW + timedelta(hours=1)),
        ("2025-11-15T10:00:00", NOW + timedelta(hours=1)),
        ("2025-11-15T03:00:00Z", NOW + timedelta(hours=1)),
        ("2025-11-15T01:59:30Z", None),
        (None, None),
    ],
)
def test_a_send_time_is_read_in_the_time_zone_and_just_passed_is_now(text: str | None, expected: object) -> None:
    assert send_time(text, now=NOW, zone=JAKARTA) == expected


@pytest.mark.parametrize(
    "text",
    ["2025-11-15T01:58:00Z", "2027-01-01T00:00:00Z", "tomorrow", "", "9999-12-31T23:59:59-23:59",
     "0001-01-01T00:00:00+23:00", "1763172000"],
)  # fmt: skip
def test_a_send_time_that_cannot_be_is_refused_by_name(text: str) -> None:
    with pytest.raises(Refused, match="send_at"):
        send_time(text, now=NOW, zone=JAKARTA)


def test_a_moment_is_kept_to_the_millisecond() -> None:
    assert moment("since", "2025-11-15T02:00:00.123987Z", JAKARTA).microsecond == 123_000


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x85"])
def test_a_control_character_is_refused_with_its_position(character: str) -> None:
    with pytest.raises(Refused, match=r"message: control character U\+.{4} at position 4"):
        check_source("message", f"abc{character}d")


def test_line_ends_become_one_kind() -> None:
    assert check_source("message", "a\r\nb\rc\n\td") == "a\nb\nc\n\td"


@pytest.mark.parametrize("text", ["", " ", "\n\t ", "\u200b", "\ufeff\u2060 "])
def test_a_text_nobody_can_see_is_empty(text: str) -> None:
    with pytest.raises(Refused) as refused:
        check_text("message", text)
    assert refused.value.code is Code.EMPTY_MESSAGE


def test_the_longest_text_may_be_sent_and_no_longer_one() -> None:
    check_text("message", "x" * 4096)
    with pytest.raises(Refused, match="4,097"):
        check_text("message", "x" * 4097)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"a b": 1}, "data"),
        ({"a\x00": 1}, "data"),
        ({"$where": 1}, "data"),
        ({"": 1}, "data"),
        ({"a": {"b.c": 1}}, "data.a"),
        ({"a": "x\x00"}, "data.a"),
        ({"a": [1, "\x1b"]}, "data.a.1"),
        ({"a": 2**63}, "data.a"),
        ({"a": float("inf")}, "data.a"),
        ({"a": float("nan")}, "data.a"),
        ({"a": "x" * 20_000}, "data.a"),
        ({"a": [1] * 500}, "data.a.199"),
        ({"a": [[[[[[[1]]]]]]]}, "data.a.0.0.0.0.0"),
    ],
)
def test_values_that_cannot_be_kept_are_refused_by_name(values: dict[str, object], field: str) -> None:
    with pytest.raises(Refused) as refused:
        check_values("data", values)
    assert refused.value.problems[0].field == field


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (None, "data"),
        ({}, "data.code"),
        ({"code": 123456}, "data.code"),
        ({"code": "12"}, "data.code"),
        ({"code": "12 34"}, "data.code"),
        ({"code": "123456\n"}, "data.code"),
        ({"code": "123456", "purpose": 1}, "data.purpose"),
        ({"code": "123456", "purpose": " "}, "data.purpose"),
        ({"code": "123456", "validity": "1"}, "data.validity"),
    ],
)
def test_an_otp_without_a_usable_code_is_refused_by_name(data: dict[str, object] | None, field: str) -> None:
    with pytest.raises(Refused) as refused:
        check_otp(data)
    assert refused.value.problems[0].field == field


def test_recipients_are_spelled_one_way_and_doubles_rejected() -> None:
    audience = Audience()
    for index, value in enumerate(["081200000001", "+62 812-0000-0001", "120363000000000001@g.us", "x", 5, None, ""]):
        audience.add(index, value)
    assert [member["to"] for member in audience.members] == ["6281200000001", "120363000000000001@g.us"]
    assert [(one.index, one.code) for one in audience.rejected] == [
        (1, Code.DUPLICATE_RECIPIENT), *((index, Code.INVALID_PHONE) for index in (3, 4, 5, 6))
    ]  # fmt: skip
    assert all("0000" not in one.value for one in audience.rejected)


@pytest.mark.parametrize(
    ("value", "shown"),
    [(6281200000001, "6281******001"), (True, "true"), (None, "null"), ({"a": 1}, "an object"), ([1], "a list")],
)
def test_what_is_no_text_is_shown_for_what_it_is(value: object, shown: str) -> None:
    audience = Audience()
    audience.add(0, value)
    assert audience.rejected[0].value == shown
    assert "6281200000001" in audience.rejected[0].error


@pytest.mark.parametrize(
    "value",
    [
        "6281200000001\n",
        "6281200000001".translate(FULL_WIDTH),
        "6281200000001\x00",
    ],
)
def test_a_number_is_stored_in_its_one_spelling_or_not_at_all(value: str) -> None:
    audience = Audience()
    audience.add(0, value)
    assert [member["to"] for member in audience.members] in ([], ["6281200000001"])


def test_several_messages_to_one_recipient_are_kept_apart() -> None:
    audience = Audience()
    audience.add(0, "6281200000001", {"to": "", "message": "a"}, "a")
    audience.add(1, "6281200000001", {"to": "", "message": "b"}, "b")
    audience.add(2, "6281200000001", {"to": "", "message": "a"}, "a")
    assert len(audience.members) == 2
    assert audience.rejected[0].code is Code.DUPLICATE_RECIPIENT


def test_the_roles_a_caller_lacks_are_named() -> None:
    demand(Caller("x", "admin"), (Role.ADMIN,))
    with pytest.raises(Forbidden, match="admin, noc"):
        demand(Caller("x", "cs"), (Role.NOC, Role.ADMIN))


def signed(**claims: object) -> str:
    return jwt.encode({"sub": "x", "role": "admin", "exp": int(time.time()) + 60, **claims}, SECRET, algorithm="HS256")


async def test_a_valid_token_names_its_caller_every_time() -> None:
    tokens = Tokens(Rules((SECRET,)))
    header = f"Bearer {signed()}"
    assert await tokens.caller(header) == await tokens.caller(header) == Caller("x", "admin")


async def use_for_seconds(tokens: Tokens, header: str, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        await tokens.caller(header)


async def test_a_token_is_forgotten_when_it_expires() -> None:
    tokens = Tokens(Rules((SECRET,)))
    header = f"Bearer {signed(exp=int(time.time()) + 1 - LEEWAY_SECONDS)}"
    await tokens.caller(header)
    with pytest.raises(Unauthenticated, match="expired"):
        await use_for_seconds(tokens, header, 5)


async def test_the_memory_of_tokens_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api_gateway.adapters.tokens.REMEMBERED", 3)
    tokens = Tokens(Rules((SECRET,)))
    for number in range(10):
        await tokens.caller(f"Bearer {signed(sub=str(number))}")
    assert len(tokens._verified) == 3
