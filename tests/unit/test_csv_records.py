"""A CSV is read a chunk at a time, and one bad record is one bad record."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api_gateway.domain.csv_records import LONGEST_LINE, MOST_LINES, NEVER_CLOSED, CsvRecords, Record, columns, values
from api_gateway.domain.refusals import Refused

KNOWN = ["id", "name", "package_id"]


def read(*chunks: bytes) -> list[Record]:
    reader = CsvRecords()
    return [record for chunk in chunks for record in reader.feed(chunk)] + reader.end()


def cells(records: list[Record]) -> list[list[str]]:
    return [list(record.cells) for record in records]


@given(
    rows=st.lists(
        st.lists(st.text(st.characters(exclude_characters="\r\0", exclude_categories=["Cs"])), min_size=2, max_size=2),
        max_size=5,
    ),
    size=st.integers(1, 40),
    delimiter=st.sampled_from(",;"),
    begin=st.sampled_from([b"", b"\xef\xbb\xbf"]),
    end=st.sampled_from(["\r\n", "\n"]),
)
def test_whatever_is_written_is_read_again_however_it_is_cut(
    rows: list[list[str]], size: int, delimiter: str, begin: bytes, end: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([["id", "name"], *rows])
    raw = begin + text.getvalue().encode()
    found = read(*(raw[at : at + size] for at in range(0, len(raw), size)))
    assert [record for record in found if record.error] == []
    assert cells(found) == [["id", "name"], *(row for row in rows if any(cell.strip() for cell in row))]


@given(st.binary(max_size=300), st.integers(1, 50))
def test_no_bytes_make_it_fail_and_the_way_they_are_cut_does_not_matter(raw: bytes, size: int) -> None:
    whole = read(b"id,name\n" + raw)
    cut = b"id,name\n" + raw
    assert read(*(cut[at : at + size] for at in range(0, len(cut), size))) == whole
    for record in whole:
        assert record.error or not any("\udc80" <= one <= "\udcff" or one == "\0" for one in "".join(record.cells))


def test_a_quote_that_is_never_closed_costs_its_own_record_alone() -> None:
    rows = b"".join(b"C-%d,Budi\n" % number for number in range(2 * MOST_LINES))
    found = read(b'id,name\nC-x,"Sari\n' + rows)
    assert [record for record in found if record.error] == [Record(2, error=NEVER_CLOSED)]
    assert len(found) == 2 + 2 * MOST_LINES
    assert found[2] == Record(3, ["C-0", "Budi"])
    assert [record.line for record in read(b'id,name\nC-x,"Sari\nC-y,Budi\n')] == [1, 2, 3]


def test_what_follows_a_closing_quote_spoils_its_record_alone() -> None:
    found = read(b'id,name\nC-1,"Sari"x\nC-2,Budi\n')
    assert found[1].error is not None
    assert found[1].error.startswith("not CSV: ")
    assert found[2:] == [Record(3, ["C-2", "Budi"])]


def test_a_cell_may_have_lines_of_its_own() -> None:
    found = read(b'id,name\r\nC-1,"Sari\r\nRT 5"\r\n\r\n ; \r\nC-2,"Bu ""Budi"""\r\n'.replace(b" ; ", b", "))
    assert found[1:] == [Record(2, ["C-1", "Sari\r\nRT 5"]), Record(6, ["C-2", 'Bu "Budi"'])]


@pytest.mark.parametrize("line", [b"C-1,S\xffri", b"C-1,S\x00ri"])
def test_what_is_not_utf_8_spoils_its_record_alone(line: bytes) -> None:
    found = read(b"id,name\n" + line + b"\nC-2,Budi\n")
    assert found[1].error is not None
    assert "UTF-8" in found[1].error
    assert found[2:] == [Record(3, ["C-2", "Budi"])]


def test_a_line_without_end_takes_no_room() -> None:
    reader = CsvRecords()
    reader.feed(b"id,name\n")
    for _ in range(100):
        reader.feed(b"x" * LONGEST_LINE)
        assert len(reader._rest) <= LONGEST_LINE
    found = reader.feed(b"x\nC-2,Budi\n")
    assert found == [Record(2, error="longer than 64 KB"), Record(3, ["C-2", "Budi"])]


@pytest.mark.parametrize("header", ["id,name,package_id", "ID, Name ,packageId", "id,name,Package ID,,"])
def test_columns_are_known_by_any_way_their_names_are_written(header: str) -> None:
    assert columns(Record(1, header.split(",")), KNOWN) == KNOWN


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("id,phonne", "phonne"),
        ("id,name,Name", "name"),
        ("name", "id"),
        ("id,,name", "header"),
        ("id,62812\n", "62812\\n"),
    ],
)
def test_a_header_that_is_none_is_refused_naming_the_column(header: str, field: str) -> None:
    with pytest.raises(Refused) as refused:
        columns(Record(1, header.split(",") if "\n" not in header else ["id", "62812\n5"]), KNOWN)
    assert refused.value.problems[0].field in {field, "62812\\n5"}


def test_a_ragged_record_says_how_many_cells_it_has_and_an_empty_cell_says_nothing() -> None:
    assert values(Record(2, ["C-1", " ", "P-1", "", ""]), KNOWN) == {"id": "C-1", "package_id": "P-1"}
    assert values(Record(2, ["C-1", "Sari"]), KNOWN) == "2 cells where the header has 3 columns"
    assert values(Record(2, ["C-1", "Sari", "P-1", "x"]), KNOWN) == "4 cells where the header has 3 columns"


def test_a_file_full_of_quotes_that_are_never_closed_is_read_line_by_line() -> None:
    reader = CsvRecords()
    found = reader.feed(b"id,name\n" + b'a","\n' * 20_000 + b"C-1,Sari\n") + reader.end()
    assert [record.cells for record in found if record.error is None] == [["id", "name"], ["C-1", "Sari"]]
    assert len(found) == 20_002
