"""E-mail addresses have one spelling inside and are masked outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.kernel.email import InvalidEmail, is_email, normalise_email
from common.kernel.phone import mask, mask_in_text


@pytest.mark.parametrize(
    ("given_as", "stored"),
    [
        ("sari@example.com", "sari@example.com"),
        (" Sari.Dewi+net@Example.CO.ID ", "sari.dewi+net@example.co.id"),
        ("sari@bücher.example.com", "sari@xn--bcher-kva.example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
    ],
)
def test_an_address_has_one_spelling(given_as: str, stored: str) -> None:
    assert normalise_email(given_as) == stored
    assert is_email(stored)


@pytest.mark.parametrize(
    "value",
    [
        "", "sari", "@example.com", "sari@", "sari@example", "sari@@example.com", "sa ri@example.com",
        "sari..dewi@example.com", ".sari@example.com", "<sari@example.com>", "sari@example.com,dewi@example.com",
        "sari@example.com\nBcc: dewi@example.com", "sari@example.com>\r\nRCPT TO:<x@example.com", "sari@127.0.0.1",
        "sari@-example.com", "särí@example.com", f"{'a' * 65}@example.com", f"sari@{'a' * 250}.com",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(value: str) -> None:
    with pytest.raises(InvalidEmail):
        normalise_email(value)


@given(st.text(max_size=300))
def test_whatever_is_accepted_is_one_plain_address(value: str) -> None:
    try:
        stored = normalise_email(value)
    except InvalidEmail:
        return
    assert stored.isascii()
    assert not set(stored) & set(' \r\n\t<>,;:"()[]\\')
    assert stored.count("@") == 1
    assert normalise_email(stored) == stored


def test_of_an_address_the_first_character_and_the_domain_are_shown() -> None:
    assert mask("sari@example.com") == "s***@example.com"
    assert mask("s@example.com") == "***@example.com"


def test_addresses_in_a_text_are_masked_and_groups_stay_groups() -> None:
    said = "550 5.1.1 <sari@example.com>: unknown; to=dewi.k@mail.example.co.id 120363000000000001@g.us 6281200000001"
    assert mask_in_text(said) == (
        "550 5.1.1 <s***@example.com>: unknown; to=d***@mail.example.co.id 1203***********001@g.us 6281******001"
    )
    assert mask_in_text(mask_in_text(said)) == mask_in_text(said)


def test_a_group_is_no_address() -> None:
    assert not is_email("120363000000000001@g.us")
    assert mask("120363000000000001@g.us") == "1203***********001@g.us"
