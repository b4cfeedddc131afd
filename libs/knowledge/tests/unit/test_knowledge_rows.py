"""Every row speaks for its own patients and for none of those for whom it is silent; what it says passes the gate."""

import re
from pathlib import Path

import pytest
from knowledge import Row, families, shipped, trying
from knowledge.terms import Urgency

ROWS = tuple(shipped())
# A line of the table of families in the README: its name, its rows and how many were compared.
_COUNTED = re.compile(r"^\| `(\w+)` \|.*\| (\d+) \| (\d+) \|$", re.MULTILINE)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_speaks_for_its_patients_in_words_that_pass_the_gate(row: Row) -> None:
    for example in row.speaks:
        tried = trying.on(row, example.fields)
        assert tried.findings, example.fields
        assert tried.withheld == (), tried.texts
        assert all(row.words in text and f"{row.family}/{row.id} version {row.version}" in text for text in tried.texts)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_row_is_silent_for_the_others(row: Row) -> None:
    for example in row.silent:
        assert trying.on(row, example.fields).texts == (), example.fields


def test_every_family_has_rows_and_every_row_a_source_with_section_and_year() -> None:
    knowledge = shipped()
    assert {name for name, rows in knowledge.rows.items() if rows} == set(families.known())
    assert all(row.section and row.document.title and row.document.year >= 1950 for row in ROWS)
    assert len({row.passage_id for row in ROWS}) == len(ROWS)
    assert all(len(row.passage_id) <= 80 for row in ROWS)


def test_no_two_rows_say_the_same_words() -> None:
    said: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        said.setdefault((row.family, row.words), []).append(row.id)
    assert [ids for (family, _), ids in said.items() if len(ids) > 1 and family != "duplicates"] == []


def test_what_is_contraindicated_says_so_by_its_urgency() -> None:
    assert {row.urgency for row in ROWS} >= {Urgency.CONTRAINDICATED, Urgency.URGENT, Urgency.IMPORTANT}


def test_the_readme_counts_the_rows_and_those_compared_with_their_documents() -> None:
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    told = {name: (int(rows), int(compared)) for name, rows, compared in _COUNTED.findall(text)}
    own = {name: tuple(row for row in ROWS if row.family == name) for name in families.known()}
    assert told == {name: (len(rows), sum(row.checked is not None for row in rows)) for name, rows in own.items()}
    assert f"{len(ROWS)} rows from {len({row.document.key for row in ROWS})} documents" in text
