"""Intervals of facts: what nobody gave a start is known since it was stated."""

from collections.abc import Callable
from typing import Any

import pytest
from consult import times
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as cf
from testkit.facts import build_fact

Build = Callable[..., Any]
DAY = st.integers(0, 40)


def problem(**lasting: Any) -> cf.ClinicalFact:
    return build_fact(kind=cf.FACT_KIND_PROBLEM, display="Diabetes", status=cf.FACT_STATUS_ACTIVE, **lasting)


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ({"since": None, "stated": 5}, {"since": 0, "until": 3}, False),
        ({"since": None, "stated": 2}, {"since": 0, "until": 3}, True),
        ({"since": None, "stated": 9, "until": 2}, {"since": 0, "until": 3}, True),
        ({"since": None, "stated": 9, "until": 4}, {"since": 0, "until": 3}, False),
        ({"since": None, "stated": 5}, {"since": None, "stated": 30}, True),
        ({"since": None}, {"since": 0, "until": 3}, True),
    ],
)
def test_a_fact_without_a_start_holds_since_it_was_stated(
    one: dict[str, int | None], other: dict[str, int | None], *, together: bool
) -> None:
    assert times.overlap(problem(**one), problem(**other)) is together
    assert times.overlap(problem(**other), problem(**one)) is together


@given(DAY, DAY, DAY, DAY)
def test_a_start_that_was_stated_counts_before_the_day_of_the_statement(
    start: int, length: int, stated: int, other: int
) -> None:
    said = problem(since=start, until=start + length + 1, stated=stated)
    unsaid = problem(since=start, until=start + length + 1)
    against = problem(since=other, until=other + 1)
    assert times.overlap(said, against) is times.overlap(unsaid, against)


def test_what_ended_at_an_unknown_time_holds_when_it_was_stated_only(fact: Build) -> None:
    ended = fact(kind=cf.FACT_KIND_PROBLEM, since=None, stated=5, status=cf.FACT_STATUS_ENDED)
    assert times.overlap(ended, problem(since=0))
    assert not times.overlap(ended, problem(since=6))
