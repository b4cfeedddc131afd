"""A gate is passed by its figure alone."""

import math

import pytest
from contracts.errors import ConflictError, InvalidInputError
from learning.domain.versions import check_promotable, failed, gates, said
from longitude.learning.v1.events_pb2 import Gate


@pytest.mark.parametrize(
    ("figure", "bound", "at_least", "passed"),
    [
        (0.7, 0.7, True, True),
        (0.69, 0.7, True, False),
        (0.3, 0.3, False, True),
        (0.31, 0.3, False, False),
        (math.nan, 0.7, True, False),
        (math.nan, 0.7, False, False),
        (math.inf, 0.7, True, False),
        (0.7, -math.inf, True, False),
    ],
)
def test_what_was_said_of_a_gate_does_not_count(figure: float, bound: float, at_least: bool, passed: bool) -> None:  # noqa: FBT001
    (gate,) = gates([Gate(name="g", figure=figure, bound=bound, at_least=at_least, passed=not passed)])
    assert gate.passed is passed
    assert bool(failed([gate])) is not passed


@pytest.mark.parametrize("names", [["g", "g"], [""], ["x" * 201], [str(number) for number in range(101)]])
def test_rows_that_are_no_report_are_refused(names: list[str]) -> None:
    with pytest.raises(InvalidInputError):
        gates([Gate(name=name) for name in names])


def test_a_failed_gate_is_said_with_figure_and_bound() -> None:
    assert said(Gate(name="seconds", figure=3.2, bound=2.5)) == "seconds is 3.2 and must be at most 2.5"


def test_what_was_taken_back_needs_to_be_measured_anew() -> None:
    with pytest.raises(ConflictError):
        check_promotable("rolled-back", [Gate(passed=True)])
