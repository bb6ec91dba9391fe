"""What people see of a parked body: no number in any spelling, no code, no secret; every ordinary figure."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.domain.audit import HIDDEN
from api_gateway.domain.parked import shown

HIDDEN_DIGITS = "0020304"  # the middle of the numbers below, which no mask shows
PREFIXES = ["08", "628", "+628", "+62 8", "00628", "62 08", "+62 (0) 8", "(+62) 8", "(0)8", "0-8", "+62.8", "62-8"]
SPACES = ["", " ", "-", ".", "/", " - ", "\u00a0", "\u2011", "\u2013", "\u200b", "\t", ") ", " ("]
CONTEXTS = [
    "{}", "hubungi {} ya", "telp{}", "wa_{}", "({})", "<{}>", "{}@s.whatsapp.net", "https://wa.me/{}?text=hai", "1. {}",
    "{}_budi", "{}Budi", "{} {}", "tgl 18-11-2025 {}", "{}, {}", "{}\n{}", "phone={}&message=hai",
    "Rp 150.000 dari {}.",
]  # fmt: skip


@st.composite
def spelled(draw: st.DrawFn) -> str:
    """A mobile number with whatever people put between its digits."""
    groups = draw(
        st.sampled_from([["12", "0020", "3041"], ["120", "02", "03", "041"], ["1200203041"], [*"1200203041"]])
    )
    number: str = draw(st.sampled_from(PREFIXES)) + groups[0]
    for group in groups[1:]:
        number += draw(st.sampled_from(SPACES)) + group
    return number


def digits(text: str) -> str:
    return re.sub(r"\D", "", text)


@given(spelled(), st.sampled_from(CONTEXTS))
def test_no_spelling_of_a_number_is_readable_wherever_it_stands(number: str, context: str) -> None:
    text = context.replace("{}", number)
    within = json.dumps({"a": text})
    for body in (
        text,
        json.dumps({"message": text}),
        json.dumps({text: 1}, ensure_ascii=False),
        json.dumps([{"deep": [text]}]),
        json.dumps({"body": within}),
        json.dumps({"message": text})[:-1],
        '{"cut": ' + json.dumps(text, ensure_ascii=False),
    ):
        assert HIDDEN_DIGITS not in digits(shown(body)), ascii(body)


@pytest.mark.parametrize(
    "body",
    [
        '{"to": 6281200203041}',
        '{"to": 81200203041}',
        '{"to": "81200203041"}',
        '{"to": ["812-0020-3041", "812 0020 3041"]}',
        '{"to": "08l200203041"}',
        '{"phone": "8120020304"}',
        '{"recipients": [{"phone": "0215500203041"}]}',
        '{"to": "+1 (415) 0020304"}',
        '{"comment": "call +65 0020 3041 11"}',
        "phone=%2B6281200203041&x=1",
        "phone=%2b6281200203041&x=1",
        "phone=0812%200020%203041",
        "phone=0812+0020+3041",
        r'{"to": "\u002b62 812\u00a00020\u00a03041"',
        r'{"to": "0812\u00200020-3041"}',
    ],
)
def test_numbers_are_masked_as_providers_forms_and_mistakes_write_them(body: str) -> None:
    assert HIDDEN_DIGITS not in digits(shown(body))


FIGURES = [
    "Rp 150.000", "Rp 8.150.000", "Rp 81.500.000", "Rp 815.000.000", "Rp 812.345.678", "Rp 812.500.000,00",
    "Rp62.850.000", "850000000", "81500000", "08-12-2025 10:30", "08/12/2025 10:30:15", "08.12.2025 08.30",
    "08 12 2025 10 30",
    "2025-08-12 10:30", "2025-08-12T08:12:34.567890Z", "2025-08-12T10:30:00+07:00", "20250812", "20250812103000",
    "T-1", "T-81234", "TCK-2025-08-12-000012", "TCK-20250812-000812", "INV-2025-0812", "INV/2025/08/0812345",
    "08.12-09.30 WIB", "pukul 08.30 - 17.00", "62.81.120.133", "0.8123456789", "0.81234567", "106.8456123456", "62%",
    "evt_0199f08123456", "dlv_0199f0812345678abcdef0123456-08123456789abcde", "1700000000000", "3201010101010001",
    "PKT-100M", "5 dari 81 pelanggan, 62 gagal", "0812", "62", "8080", "850-1000 Mbps",
]  # fmt: skip


@pytest.mark.parametrize("figure", FIGURES)
@pytest.mark.parametrize("context", ["{}", "({})", "tiket {} selesai", "{};", '"{}"'])
def test_ordinary_figures_stay_readable(figure: str, context: str) -> None:
    text = context.replace("{}", figure)
    assert shown(text) == text
    assert json.loads(shown(json.dumps({"reason": text, figure: text}))) == {"reason": text, figure: text}


@given(st.integers(-9_999_999, 629_999_999) | st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_amounts_stay_the_figures_they_are(amount: float) -> None:
    assert json.loads(shown(json.dumps({"amount": amount}))) == {"amount": amount}


@pytest.mark.parametrize("code", ["934771", "ABCDEF", "93-47-71"])
@pytest.mark.parametrize(
    "body",
    [
        '{"type": "otp", "to": "x", "data": {"code": "%s"}}',
        '{"type": "OTP", "data": {"code": "%s"}}',
        r'{"type": "\u006ftp", "data": {"code": "%s"}}',
        '{"event_id": "e", "notification": {"type": "otp"}, "values": {"code": "%s"}}',
        '{"type": "otp", "code": "%s"}',
        '{"type": "otp", "items": [{"to": "x", "data": {"code": "%s"}}]}',
        '{"type": "otp", "type": "custom", "data": {"code": "%s"}}',
        '{"template": "otp:3", "data": {"code": "%s"}}',
        '{"type": "otp", "data": {"code": "%s"}',
        '{"attempts": [{"text": "Kode verifikasi untuk masuk: *%s*"}]}',
        '{"message": "Your OTP is %s"}',
        "type=otp&message=%s",
        r'{"body": "{\"type\": \"otp\", \"data\": {\"code\": \"%s\"}}"}',
    ],
)
def test_the_code_of_a_one_time_password_is_never_shown(body: str, code: str) -> None:
    assert code not in shown(body % code)


@pytest.mark.parametrize(
    "body",
    [
        '{"token": "hush-1"}',
        '{"auth": {"apiKey": "hush-1"}}',
        '{"headers": {"X-Api-Key": ["hush-1"]}}',
        '{"webhook_secret": {"now": "hush-1"}}',
        '{"access-key": "hush-1", "password": "hush-1"}',
        '{"note": "Authorization: Bearer hush-1"}',
        '{"token": "hush-1"',
        r'{"body": "{\"token\": \"hush-1\"}"}',
        r'{"body": "{\"token\": \"hush-1\""}',
        "token=hush-1&sender=x",
        "{'password': 'hush-1 and more'",
    ],
)
def test_what_is_named_like_a_secret_is_never_shown(body: str) -> None:
    assert "hush-1" not in shown(body)
    assert HIDDEN in shown(body)


def test_what_is_no_secret_stays_beside_one() -> None:
    body = '{"event_id":"e","ticket_id":"T-1","rating":9,"token":"x","ok":true,"none":null,"to":"6281200203041"}'
    assert shown(body) == (
        '{"event_id":"e","ticket_id":"T-1","rating":9,"token":"(not shown)","ok":true,"none":null,"to":"6281******041"}'
    )


def test_two_names_that_look_alike_without_their_middle_are_both_shown() -> None:
    assert json.loads(shown('{"6281200203041":1,"6281299993041":2}')) == {"6281******041": 1, "6281******041*": 2}


@pytest.mark.parametrize("body", ["", "[" * 100_000, '{"a":"\\ud800"}', '{"a":1e999}', "{" + "9" * 5_000 + "}", "null"])
def test_any_text_can_be_shown(body: str) -> None:
    shown(body).encode()


@given(st.text(max_size=60) | st.recursive(st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of)))
def test_whatever_is_parked_can_be_shown(body: object) -> None:
    shown(body if isinstance(body, str) else json.dumps(body)).encode()
