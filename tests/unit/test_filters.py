"""Money, numbers, dates, names and links as people in Indonesia read them."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from common.rendering.failures import Unrenderable
from common.rendering.template import render


def shown(expression: str, value: Any, zone: str | None = None) -> str:
    return render("{{ x | " + expression + " }}", {"x": value}, zone=None if zone is None else ZoneInfo(zone))


@pytest.mark.parametrize(
    ("expression", "value", "text"),
    [
        ("rupiah", 150_000, "Rp 150.000"),
        ("rupiah", 0, "Rp 0"),
        ("rupiah", 1_250_000.0, "Rp 1.250.000"),
        ("rupiah", "275000", "Rp 275.000"),
        ("rupiah", -5_000, "-Rp 5.000"),
        ("rupiah", 10**12, "Rp 1.000.000.000.000"),
        ("angka", 1_250, "1.250"),
        ("angka", 96.5, "96,5"),
        ("angka", 3.456, "3,46"),
        ("angka", 97.0, "97"),
        ("angka", 4.05, "4,05"),
        ("angka", -0.5, "-0,5"),
        ("angka", 0, "0"),
        ("angka", 999.999, "1.000"),
        ("durasi", 0, "0 menit"),
        ("durasi", 45, "45 menit"),
        ("durasi", 60, "1 jam"),
        ("durasi", 90, "1 jam 30 menit"),
        ("durasi", 1_440, "1 hari"),
        ("durasi", 3_065, "2 hari 3 jam"),
        ("istilah", "in_progress", "sedang dikerjakan"),
        ("istilah", "Layanan pulih", "Layanan pulih"),
        ("ringkas(10)", "pendek", "pendek"),
        ("ringkas(20)", "Internet sering terputus pada malam", "Internet sering…"),
        ("ringkas(10)", "a" * 30, "a" * 9 + "…"),
        ("paragraf", "satu\r\ndua\n\n\n\ntiga", "satu\ndua\n\ntiga"),
        ("nama", "  Sari   Wulandari ", "Sari Wulandari"),
        ("nama('Pelanggan')", " ", "Pelanggan"),
        ("nama", "H.M. Amin", "H.\u200bM. Amin"),
        ("tanggal", "2025-11-18", "18 November 2025"),
        ("tanggal", "2025-11-18T20:00:00Z", "19 November 2025"),
        ("tanggal", "2025-01-02T03:04:05", "2 Januari 2025"),
        ("tanggal", date(2025, 5, 1), "1 Mei 2025"),
        ("tanggal", datetime(2025, 8, 17, 18, tzinfo=UTC), "18 Agustus 2025"),
        ("hari", "2025-11-18", "Selasa"),
        ("hari", "2025-11-18T20:00:00Z", "Rabu"),
        ("jam", "2025-11-18T01:30:00Z", "08.30 WIB"),
        ("jam", "2025-11-18T08:30:00", "08.30 WIB"),
        ("jam", "08:30", "08.30 WIB"),
        ("jam", "23.05", "23.05 WIB"),
    ],
)
def test_a_value_is_told_as_people_say_it(expression: str, value: Any, text: str) -> None:
    assert shown(expression, value) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("Asia/Jakarta", "08.30 WIB"),
        ("Asia/Pontianak", "08.30 WIB"),
        ("Asia/Makassar", "09.30 WITA"),
        ("Asia/Jayapura", "10.30 WIT"),
        ("UTC", "01.30 UTC"),
        ("Asia/Singapore", "09.30 UTC+08"),
        ("Europe/Berlin", "02.30 CET"),
    ],
)
def test_a_time_is_told_in_the_zone_of_the_rendering(zone: str, text: str) -> None:
    assert shown("jam", "2025-11-18T01:30:00Z", zone) == text


def test_a_day_hangs_on_the_zone() -> None:
    assert shown("tanggal", "2025-11-18T23:30:00Z", "UTC") == "18 November 2025"
    assert shown("tanggal", "2025-11-18T23:30:00Z", "Asia/Jayapura") == "19 November 2025"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("rupiah", "Rp 5"), ("rupiah", 1.5), ("rupiah", True), ("rupiah", [1]), ("rupiah", 10**16),
        ("angka", "lima"), ("angka", False), ("durasi", "sejam"),
        ("tanggal", "18/11/2025"), ("tanggal", 20251118), ("tanggal", "2025-02-30"), ("tanggal", ""),
        ("tanggal", "0001-01-01T00:00:00+14:00"), ("hari", "besok"),
        ("jam", "2025-11-18"), ("jam", "24:00"), ("jam", "8:30"), ("jam", 830), ("jam", date(2025, 1, 1)),
        ("nama", ["Sari"]), ("nama", {"a": 1}), ("ringkas", [1]), ("istilah", {}), ("paragraf", []),
        ("tautan", "javascript:x"), ("tautan", 5), ("tautan", "https://a b.example"),
    ],
)  # fmt: skip
def test_a_value_a_filter_cannot_read_is_named(expression: str, value: Any) -> None:
    with pytest.raises(Unrenderable, match=f"line 1: `{expression}` cannot read .*; give "):
        shown(expression, value)


@pytest.mark.parametrize("expression", ["rupiah", "tanggal", "jam", "nama", "tautan", "ringkas", "istilah", "angka"])
def test_a_value_that_is_missing_is_named_by_its_name(expression: str) -> None:
    with pytest.raises(Unrenderable, match="line 2: an object has no field 'amount'"):
        render("a\n{{ invoice.amount | " + expression + " }}", {"invoice": {}})


def test_an_error_shows_no_full_number() -> None:
    with pytest.raises(Unrenderable) as caught:
        shown("rupiah", "telepon 6281200000001")
    assert "6281200000001" not in str(caught.value)


def test_a_name_can_be_missing_where_the_text_says_what_stands_there_instead() -> None:
    assert render("{{ customer.name | nama('Pelanggan') }}", {"customer": {}}) == "Pelanggan"


def test_a_long_name_is_cut_after_a_word() -> None:
    name = shown("nama", "Sari " * 60)
    assert len(name) <= 60
    assert name.endswith("Sari…")


def test_what_a_filter_made_is_made_harmless_like_any_value() -> None:
    assert shown("ringkas(50)", "*tebal* {x}") == "*\u200btebal*\u200b (x)"
    assert shown("istilah", "_x_") == "_\u200bx_\u200b"
    assert shown("nama", "*Sari* {x}") == "*\u200bSari*\u200b (x)"
    assert shown("paragraf", "*a*\n- b") == "*\u200ba*\u200b\n\u200b- b"
    assert shown("upper", "*a*") == "*\u200bA*\u200b"


def test_a_template_cannot_reach_the_zone_or_the_budget() -> None:
    for name in ("__zone__", "__iterations__"):
        with pytest.raises(Unrenderable):
            render("{{ " + name + " }}", {})
