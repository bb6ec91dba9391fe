"""Single words are heeded however they are written, and nothing else is."""

import pytest

from dispatcher.domain.words import Wish, rating, wish


@pytest.mark.parametrize("text", ["STOP", "stop", " Stop. ", "*STOP*", "s.t.o.p", "Berhenti!", "BERHENTI\n", "_stop_"])
def test_somebody_wants_no_more(text: str) -> None:
    assert wish(text) is Wish.STOP


@pytest.mark.parametrize("text", ["START", "mulai", " Mulai!! "])
def test_somebody_wants_them_again(text: str) -> None:
    assert wish(text) is Wish.START


@pytest.mark.parametrize("text", ["", "stop dulu", "nonstop", "jangan berhenti", "restart", "non-text message", "👍"])
def test_everything_else_is_just_said(text: str) -> None:
    assert wish(text) is None


@pytest.mark.parametrize(("text", "stars"), [("5", 5), (" 1 ", 1), ("4.", 4), ("*3*", 3), ("2️⃣", 2)])
def test_a_digit_alone_is_a_rating(text: str, stars: int) -> None:
    assert rating(text) == stars


@pytest.mark.parametrize("text", ["0", "6", "55", "4 atau 5", "lima", "", "٣"])
def test_nothing_else_is(text: str) -> None:
    assert rating(text) is None
