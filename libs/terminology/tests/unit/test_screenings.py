"""Each screening has one row for an age, with what counts and the passage that asks for it."""

from itertools import combinations

import pytest
from terminology import families, screenings


def test_no_age_has_two_rows_of_one_screening() -> None:
    for one, other in combinations(screenings.known(), 2):
        if one.id == other.id:
            assert one.last < other.first or other.last < one.first
            assert (one.told, one.words, one.done) == (other.told, other.words, other.done)


@pytest.mark.parametrize("row", screenings.known(), ids=lambda row: f"{row.id}-{row.first}")
def test_a_row_has_a_passage_what_counts_and_known_families(row: screenings.Screening) -> None:
    assert row.passage
    assert row.terms
    assert row.done
    assert row.first <= row.last
    assert set(row.sexes) <= {"female", "male"}
    assert set(row.problems) <= families.known().keys()


def test_what_counts_says_for_how_many_months() -> None:
    assert screenings.done("colonoscop:120") == ("colonoscop", 120)
    assert screenings.done("bone density:") == ("bone density", 0)
    assert screenings.done("57905-2:13") == ("57905-2", 13)
