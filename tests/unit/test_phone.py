"""One spelling inside, whatever people write; masked outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.kernel.phone import InvalidPhone, is_group, mask, mask_in_text, normalise_recipient


@pytest.mark.parametrize(
    "written",
    [
        "6281200000001",
        "+6281200000001",
        "006281200000001",
        "081200000001",
        "81200000001",
        "62081200000001",
        "+62 (0) 812-0000-0001",
        "+62 812 0000 0001",
        "0812.0000.0001",
        "0812–0000—0001",  # noqa: RUF001 - as word processors write it
        "0812\u00a00000\u00a00001",
        "  081200000001\n",
        "6281200000001@s.whatsapp.net",
        "6281200000001@c.us",
        "+62812-0000-0001@c.us",
    ],
)
def test_every_spelling_of_a_mobile_number_is_the_same_person(written: str) -> None:
    assert normalise_recipient(written) == "6281200000001"


@pytest.mark.parametrize("number", ["6281100000", "62811000000", "6289900000000", "628110000000000"])
def test_mobile_numbers_have_a_nationally_known_length(number: str) -> None:
    digits = len(number) - 3
    if 8 <= digits <= 11:
        assert normalise_recipient(number) == number
    else:
        with pytest.raises(InvalidPhone, match="628, then 8 to 11 digits"):
            normalise_recipient(number)


@pytest.mark.parametrize("group", ["120363000000000001@g.us", "6281200000001-1700000000@g.us", "123456789012345@g.us"])
def test_a_group_keeps_its_identity_and_suffix(group: str) -> None:
    assert normalise_recipient(f" {group} ") == group
    assert is_group(group)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("", "only digits"),
        ("budi", "only digits"),
        ("0812 0000 000l", "only digits"),
        ("0812/0000/0001", "only digits"),
        ("081200000001,081200000002", "only digits"),
        ("081200000001|Budi", "only digits"),
        ("٠٨١٢٠٠٠٠٠٠٠١", "only digits"),
        ("++6281200000001", "only digits"),
        ("0215550100", "628, then 8 to 11 digits"),
        ("+6221 555 0100", "628, then 8 to 11 digits"),
        ("+6591234567", "628, then 8 to 11 digits"),
        ("+14155550100", "628, then 8 to 11 digits"),
        ("6280200000001", "628, then 8 to 11 digits"),
        ("0812000", "628, then 8 to 11 digits"),
        ("081200000001000", "628, then 8 to 11 digits"),
        ("120363000000000001", "628, then 8 to 11 digits"),
        ("123@g.us", "120363000000000001@g.us"),
        ("budi@example.com", "120363000000000001@g.us"),
        ("6281200000001@g.us", "120363000000000001@g.us"),
        ("123456789012345@lid", "phone number itself"),
    ],
)
def test_what_is_refused_says_what_to_write_instead(written: str, told: str) -> None:
    with pytest.raises(InvalidPhone) as refusal:
        normalise_recipient(written)
    assert told in str(refusal.value)
    assert len(written) < 5 or written not in str(refusal.value)


@given(st.text(alphabet="0123456789+-. ()@gusc,l\u00a0", max_size=30) | st.text(max_size=20))
def test_normalising_again_changes_nothing(written: str) -> None:
    try:
        once = normalise_recipient(written)
    except InvalidPhone:
        return
    assert normalise_recipient(once) == once


@given(st.text(alphabet="0123456789+-. @gusx", max_size=40))
def test_a_mask_never_shows_more_than_the_first_four_and_the_last_three_digits(value: str) -> None:
    shown = [character for character in mask(value) if character.isdigit()]
    assert len(shown) <= 7


@pytest.mark.parametrize(
    ("value", "masked"),
    [
        ("6281200000001", "6281******001"),
        ("120363000000000001@g.us", "1203***********001@g.us"),
        ("6281200000001-1700000000@g.us", "6281*****************000@g.us"),
        ("1234567", "*******"),
        ("", ""),
    ],
)
def test_a_masked_value_can_be_recognised_by_who_knows_it(value: str, masked: str) -> None:
    assert mask(value) == masked


@pytest.mark.parametrize(
    "text",
    [
        "to 6281200000001 now",
        "(+6281200000001)",
        "081200000001",
        "recipient=6281200000001,",
        '{"phone":"6281200000001"}',
        "https://wa.me/6281200000001",
        "@6281200000001 please",
        "6281200000001@s.whatsapp.net",
        "tel:+62-812-0000-0001",
        "0812 0000 0001",
        "wa-6281200000001.",
    ],
)
def test_numbers_are_masked_wherever_they_stand_in_a_text(text: str) -> None:
    masked = mask_in_text(text)
    assert sum(character.isdigit() for character in masked) <= 7
    assert masked != text


@pytest.mark.parametrize(
    "text",
    ["took 0.8123456789 s", "2025-08-12T08:12:34.567890Z", "dlv_0199f0812345678-08123456789abcde", "1700000000000", ""],
)
def test_what_is_no_number_of_a_person_is_left_alone(text: str) -> None:
    assert mask_in_text(text) == text
