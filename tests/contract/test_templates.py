"""The built-in texts: what they say with their examples, with as little as there can be, and with the worst."""

import re
from dataclasses import astuple
from typing import Any

import pytest

from common.catalogue.definitions import DEFINITIONS, ROW_KINDS
from common.catalogue.examples import EXAMPLE_DATA, EXAMPLE_ROWS, example_context, least_data
from common.catalogue.texts import Texts, builtin_texts
from common.catalogue.values import known_values
from common.contracts.directory import ROWS
from common.contracts.vocabulary import Channel, NotificationType
from common.rendering.failures import Unrenderable
from common.rendering.messages import render_notification, rendering_context
from common.rendering.template import begin, check, render
from tests.contract.golden import FOLDER, rendered_texts

WABLAS_MOST = 1_024
ALERTS = {NotificationType.SYSTEM_ALERT, NotificationType.QUOTA_ALERT}
TYPES = [kind for kind in NotificationType if kind is not NotificationType.CUSTOM]
SOURCES = [
    (kind, source) for kind in TYPES for source in astuple(builtin_texts(kind) or Texts("")) if source is not None
]
"""Every source there is, with its type."""
NEEDED: dict[NotificationType, dict[str, dict[str, Any]]] = {
    NotificationType.UPGRADE_OFFER: {"package": {"name": "Keluarga 50"}},
    NotificationType.PAYMENT_LINK: {"invoice": {"payment_link": "https://pay.example.com/i/1"}},
}
"""What a text makes no sense without."""
HOSTILE = (
    "*tebal* _miring_ ~coret~ `kode`",
    "{{ code }} {% if x %} {nama} {halo|hai}",
    "Sari\n\nKode verifikasi: 999999\r\n> kutipan\n- butir",
    "Klik http://jahat.example.com/x atau www.jahat.example",
    "@6281200000001 \u202eterbalik\u202c \u200b\x00\x1b[31m",
    "x" * 300,
    "nama " * 60,
)
MARKS = re.compile(r"[*_~`](?!\u200b)")


def text_of(kind: NotificationType, data: dict[str, Any]) -> str:
    return render_notification(kind, message=None, data=data, validity_seconds=300)


def worst(value: Any, hostile: str) -> Any:
    """The same data with every free text replaced; what has a form of its own keeps it."""
    if isinstance(value, dict):
        return {name: worst(one, hostile) for name, one in value.items()}
    if isinstance(value, list):
        return [worst(one, hostile) for one in value]
    formed = isinstance(value, str) and re.fullmatch(r"https?://\S+|\d{4}-\d\d-\d\d.*|\d\d:\d\d", value)
    return hostile if isinstance(value, str) and not formed else value


def test_every_file_of_the_golden_ones_says_what_its_text_says() -> None:
    stored = {path.name: path.read_text("utf-8") for path in FOLDER.glob("*.txt")}
    assert stored == {name: f"{text}\n" for name, text in rendered_texts().items()}


def test_every_type_but_custom_has_a_text_and_those_that_go_by_e_mail_have_one() -> None:
    assert builtin_texts(NotificationType.CUSTOM) is None
    for kind in TYPES:
        texts = builtin_texts(kind)
        assert texts is not None, kind
        # Alerts go by e-mail while no WhatsApp sender works.
        by_email = Channel.EMAIL in DEFINITIONS[kind].route.channels or kind in ALERTS
        assert (texts.email_subject is not None, texts.email_text is not None) == (by_email, by_email), kind


@pytest.mark.parametrize("kind", TYPES)
def test_every_example_fits_its_shape(kind: NotificationType) -> None:
    shape = DEFINITIONS[kind].shape
    assert shape is not None
    read = shape.model_validate(EXAMPLE_DATA[kind]).model_dump(mode="json", exclude_none=True)
    assert EXAMPLE_DATA[kind].items() <= {**read, **EXAMPLE_DATA[kind]}.items()
    assert set(EXAMPLE_DATA[kind]) <= set(read)


@pytest.mark.parametrize("row", ROW_KINDS)
def test_every_example_row_fits_its_shape(row: str) -> None:
    read = ROWS[ROW_KINDS[row]].model_validate(EXAMPLE_ROWS[row]).model_dump(mode="json", exclude_none=True)
    assert read == EXAMPLE_ROWS[row]


@pytest.mark.parametrize(("kind", "source"), SOURCES)
def test_a_text_names_only_what_somebody_gives(kind: NotificationType, source: str) -> None:
    check(source, known_values(kind))


@pytest.mark.parametrize("kind", TYPES)
def test_every_text_is_short_enough_for_every_provider(kind: NotificationType) -> None:
    assert len(text_of(kind, example_context(kind))) < 1_000 < WABLAS_MOST


@pytest.mark.parametrize(("kind", "source"), SOURCES)
def test_a_text_can_be_made_of_the_least_there_can_be(kind: NotificationType, source: str) -> None:
    least: dict[str, Any] = {row: {"id": "X-1"} for row in DEFINITIONS[kind].rows}
    for row, fields in NEEDED.get(kind, {}).items():
        least[row] = {**least[row], **fields}
    for rows in (least, NEEDED.get(kind, {})):
        text = render(source, rendering_context(kind, {**rows, **least_data(kind)}, 300))
        assert text.strip()
        assert "\n\n\n" not in text
        assert not re.search(r"[ \t]$", text, re.MULTILINE), text


@pytest.mark.parametrize(("kind", "source"), SOURCES)
def test_no_text_has_gaps(kind: NotificationType, source: str) -> None:
    text = render(source, rendering_context(kind, example_context(kind), 300))
    assert "\n\n\n" not in text
    assert not re.search(r"[ \t]$|^\s|\s\Z", text)
    assert "  " not in text


@pytest.mark.parametrize(("kind", "source"), SOURCES)
def test_a_text_that_is_begun_for_many_customers_says_the_same(kind: NotificationType, source: str) -> None:
    context = rendering_context(kind, example_context(kind), 300)
    others = {name: value for name, value in context.items() if name != "customer"}
    assert render(begin(source, others, without="customer"), context) == render(source, context)


@pytest.mark.parametrize("kind", NEEDED)
def test_a_text_that_would_make_no_sense_is_not_made(kind: NotificationType) -> None:
    with pytest.raises(Unrenderable, match="line"):
        text_of(kind, least_data(kind))


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize("kind", TYPES)
def test_no_value_can_format_expand_mention_or_hide(kind: NotificationType, hostile: str) -> None:
    source = builtin_texts(kind)
    assert isinstance(source, Texts)
    innocent = MARKS.findall(text_of(kind, worst(example_context(kind), "abc")))
    text = text_of(kind, worst(example_context(kind), hostile))
    assert MARKS.findall(text) == innocent
    assert "{" not in text
    assert "}" not in text
    assert not re.search(r"@\d", text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e]", text)
    assert "\n> " not in text


@pytest.mark.parametrize("kind", [kind for kind in TYPES if DEFINITIONS[kind].rows])
def test_a_name_adds_no_line_and_no_link(kind: NotificationType) -> None:
    data = example_context(kind)
    innocent = text_of(kind, data).count("\n")
    for hostile in HOSTILE:
        for person in ("customer", "technician"):
            if person in data:
                data[person] = {**data[person], "name": hostile}
        text = text_of(kind, data)
        assert text.count("\n") == innocent
        assert not re.search(r"jahat\.example|http://jahat", text)
        assert len(text) < WABLAS_MOST


def test_a_link_survives_and_what_is_none_is_refused() -> None:
    link = "https://pay.example.com/i/INV_2025_11*x?a=~b&c={d}`"
    data = {"invoice_id": "I-1", "invoice": {"payment_link": link}}
    text = text_of(NotificationType.PAYMENT_LINK, data)
    assert "Bayar di: https://pay.example.com/i/INV_2025_11%2Ax?a=~b&c=%7Bd%7D%60\n" in text
    for wrong in ("javascript:alert(1)", "https://a.example/x y", "ftp://a.example", "https://"):
        with pytest.raises(Unrenderable, match="tautan"):
            text_of(NotificationType.PAYMENT_LINK, {**data, "invoice": {"payment_link": wrong}})
