"""Every table has a closed schema, and every row names where it comes from."""

from pathlib import Path

import pytest
from terminology import sources, tables
from terminology.tables import TableError


@pytest.mark.parametrize("name", tables.names())
def test_every_row_has_all_cells_and_a_known_source(name: str) -> None:
    rows = tables.read(name, tables.header(name))
    assert rows
    if name == "sources":
        return
    columns = [column for column in tables.header(name) if column == "source" or column.endswith("_source")]
    keys = [{key for column in columns for key in row.several(column)} for row in rows]
    assert [row.line for row, own in zip(rows, keys, strict=True) if not own] == []
    assert set().union(*keys) <= sources.known().keys()


@pytest.mark.parametrize("name", tables.names())
def test_no_cell_has_blanks_at_its_ends(name: str) -> None:
    rows = tables.read(name, tables.header(name))
    assert [row.line for row in rows if any(value != value.strip() for value in row.values())] == []


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("a\tc\n1\t2\n", r"bad.tsv:1: the columns are a, c, not a, b"),
        ("# remark\na\tb\n1\n", r"bad.tsv:3: 1 cells where 2 columns are"),
        ("a\tb\n1\t2\t3\n", r"bad.tsv:2: 3 cells"),
    ],
)
def test_a_table_that_breaks_its_schema_is_refused_with_file_and_line(
    text: str, error: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_DATA", tmp_path)
    (tmp_path / "bad.tsv").write_text(text)
    with pytest.raises(TableError, match=error):
        tables.read("bad", ("a", "b"))


def test_a_key_that_stands_twice_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_DATA", tmp_path)
    (tmp_path / "twice.tsv").write_text("a\tb\n1\t2\n1\t3\n")
    with pytest.raises(TableError, match=r"twice.tsv:3: 1 stands in line 2 already"):
        tables.index(tables.read("twice", ("a", "b")), "a")


def test_a_cell_of_several_values_gives_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_DATA", tmp_path)
    (tmp_path / "several.tsv").write_text("a\tb\n1|2\t\n")
    (row,) = tables.read("several", ("a", "b"))
    assert (row.several("a"), row.several("b"), row.line) == (("1", "2"), (), 2)
