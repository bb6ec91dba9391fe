"""Templates from outside: what they make, what is refused, and that none of them is expensive."""

import pytest

from common.contracts.vocabulary import NotificationType
from common.rendering.failures import Unrenderable
from common.rendering.messages import in_words, render_notification
from common.rendering.template import MOST_CHARACTERS, begin, check, render
from tests.support.calls import counted_calls

MOST_CALLS = 1_500_000
"""Of functions, with their returns; the most expensive template that is refused today takes 900,000."""


def test_values_stand_where_the_template_names_them() -> None:
    assert render("Halo {{ name }}, {{ n + 1 }} hari lagi.\n", {"name": "Sari", "n": 2}) == "Halo Sari, 3 hari lagi.\n"


def test_a_text_without_marks_of_a_template_is_left_as_it_is() -> None:
    assert render("50% { diskon } #1 _ya_\n", {}) == "50% { diskon } #1 _ya_\n"


def test_values_can_neither_format_nor_expand_nor_mention() -> None:
    text = render("{{ name }}", {"name": "*A* {x} @62812\n- b"})
    assert "*A*" not in text
    assert "{" not in text
    assert "@62812" not in text
    assert "\n" not in text


def test_conditions_compare_values_as_they_came() -> None:
    assert render("{% if s == 'past_due' %}lewat{% endif %}", {"s": "past_due"}) == "lewat"


def test_lists_are_looped_over_and_joined() -> None:
    data: dict[str, object] = {"terms": ["a", "b"]}
    assert render("{% for t in terms %}{{ loop.index }}) {{ t }}\n{% endfor %}", data) == "1) a\n2) b\n"
    assert render("{{ terms | join(', ') }}", data) == "a, b"


def test_the_default_of_a_missing_value_is_used() -> None:
    assert render("{{ name | default('Pelanggan') }}", {}) == "Pelanggan"


@pytest.mark.parametrize(
    "source",
    [
        "{{ name", "{% if %}", "{% for x in y %}", "{{ a | nosuchfilter }}", "{{ a is nosuchtest }}",
        "{% set x = 1 %}", "{% macro m() %}{% endmacro %}", "{% include 'x' %}", "{% extends 'x' %}",
        "{% import 'x' as y %}", "{{ range(10) }}", "{{ a() }}", "{{ a ** 9 }}", "{% raw %}{{", "{{ a | counted }}",
        "{{ {'a': 1} }}", "{% for a in b recursive %}{% endfor %}", "{{ " + "(" * 4000 + "1",
        "{{ " + "-" * 8000 + "1 }}",
        "{% if a %}" * 150 + "{% endif %}" * 150, "{{ '" + "a" * 9000 + "' }}",
    ],
)  # fmt: skip
def test_what_is_no_template_is_refused_before_it_is_rendered(source: str) -> None:
    with pytest.raises(Unrenderable):
        check(source)


@pytest.mark.parametrize(
    ("source", "data"),
    [
        ("{{ missing }}", {}),
        ("{{ a.b.c }}", {"a": {}}),
        ("{{ ''.__class__ }}", {}),
        ("{{ a.__class__.__mro__ }}", {"a": "x"}),
        ("{{ a }}", {"a": None}),
        ("{{ a }}", {"a": True}),
        ("{{ a }}", {"a": ["x"]}),
        ("{{ a / 0 }}", {"a": 1}),
        ("{{ a * 1000000 }}", {"a": "x"}),
        ("{{ '%1000000000d' % 1 }}", {}),
        ("{{ a + 1 }}", {"a": "x"}),
        ("{% for x in a %}{% endfor %}", {"a": 5}),
        ("{{ a }}", {"a": "x" * 5000}),
        ("{{ __iterations__ }}", {}),
    ],
)
def test_what_cannot_be_printed_is_refused(source: str, data: dict[str, object]) -> None:
    with pytest.raises(Unrenderable):
        render(source, data)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("{% for a in x %}{% for b in x %}{% for c in x %}{% endfor %}{% endfor %}{% endfor %}", "more than 500 steps"),
        ("{{ x | join(x) | join(x) | join(x) }}", "a joined list is longer"),
        ("{{ " + " ~ ".join(["x"] * 1500) + " }}", "the text is longer"),
        ("{% for a in x %}{{ x }}{% endfor %}", "the text is longer"),
        ("{{ " + " * ".join(["9999999999"] * 600) + " }}", "nested too deeply"),
    ],
)
def test_an_expensive_template_is_given_up_before_it_has_done_much(source: str, why: str) -> None:
    with counted_calls() as calls, pytest.raises(Unrenderable, match=why):
        render(source, {"x": "x" * 4000})
    assert calls.total() < MOST_CALLS


def test_the_longest_text_is_rendered_and_one_character_more_is_not() -> None:
    assert len(render("{{ a }}", {"a": "x" * MOST_CHARACTERS})) == MOST_CHARACTERS
    with pytest.raises(Unrenderable, match="4,096"):
        render("{{ a }}", {"a": "x" * (MOST_CHARACTERS + 1)})


def test_an_error_names_what_is_missing() -> None:
    with pytest.raises(Unrenderable, match="'nama' is undefined"):
        render("{{ nama }}", {})


MANY = (
    "Halo {{ customer.name | nama('Pelanggan') }}, {{ offer | upper }}{% if customer.area is defined %} di"
    " {{ customer.area }}{% endif %}.\r\n{% for term in terms %}{{ loop.index }}. {{ term }}\n{% endfor %}"
    "{% for term in terms %}{{ term }} untuk {{ customer.id }}, {% endfor %}"
    "{% for customer in terms %}{{ customer }}{% endfor %}{{ until | tanggal }}{# e #}e\u0301"
)
SHARED: dict[str, object] = {"offer": "gr*tis", "terms": ["a", "{b}"], "until": "2026-12-31"}


@pytest.mark.parametrize("own", [{"id": "C-1"}, {"id": "C-2", "name": "*Sari*", "area": "Depok"}])
@pytest.mark.parametrize(
    "source",
    [MANY, "Halo", "{{ offer }}", "{{ customer.id }}", "{{ customer.id }}\n{{ offer }}\n", "\u0301{{ offer }}"],
)
def test_what_is_begun_for_many_says_the_same_to_each(source: str, own: dict[str, str]) -> None:
    begun = begin(source, SHARED, without="customer")
    assert render(begun, {**SHARED, "customer": own}) == render(source, {**SHARED, "customer": own})


def test_what_names_nothing_of_their_own_is_rendered_once_for_many() -> None:
    begun = begin("{{ offer }} {{ customer }}", {"offer": "lama"}, without="customer")
    assert [render(begun, {"offer": "baru", "customer": name}) for name in ("A", "B")] == ["lama A", "lama B"]


@pytest.mark.parametrize(
    "source",
    [
        "{{ customer.id }}\n{{ missing }}", "{{ offer }}\n{{ customer.name }}", "{{ offer | jam }}{{ customer.id }}",
        "{{ customer", "{% set x = 1 %}", "{{ customer.id }}" + "x" * 4_096, "{{ offer }}" + "x" * 8_192,
        "{% for a in many %}{% for b in few %}{% endfor %}{% endfor %}{% for a in many %}{{ customer.id }}{% endfor %}",
        "{% if offer %}" * 150 + "{% endif %}" * 150,
    ],
)  # fmt: skip
def test_what_cannot_be_begun_is_refused_for_each_of_many_with_the_same_words(source: str) -> None:
    data = {**SHARED, "many": "x" * 200, "few": "xy"}
    with pytest.raises(Unrenderable) as whole:
        render(source, {**data, "customer": {"id": "C-1"}})
    with pytest.raises(Unrenderable) as begun:
        render(begin(source, data, without="customer"), {**data, "customer": {"id": "C-1"}})
    assert str(begun.value) == str(whole.value)


def test_an_otp_says_its_code_purpose_and_validity() -> None:
    text = render_notification(
        NotificationType.OTP, message=None, data={"code": "123456", "purpose": "masuk"}, validity_seconds=300
    )
    assert text.startswith("Kode verifikasi untuk masuk: *123456*\n")
    assert "Berlaku 5 menit" in text
    assert "Jangan berikan" in text


def test_a_custom_message_without_data_is_sent_as_written() -> None:
    text = render_notification(NotificationType.CUSTOM, message="{{ apa adanya }}\r\n", data=None, validity_seconds=60)
    assert text == "{{ apa adanya }}\n"


@pytest.mark.parametrize(("seconds", "words"), [(300, "5 menit"), (60, "1 menit"), (90, "90 detik"), (359, "5 menit")])
def test_a_validity_is_never_told_longer_than_it_is(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
