"""The verifier evaluation measures what it says: every kind of lie is told, and each is false."""

import numpy as np
import pytest
from grounding import Verdict
from testkit.patients import example_patient

from tests.evals.calibration import calibration_error
from tests.evals.lies import LIES
from tests.evals.reliability import Told, counts
from tests.evals.verifier import measure
from tests.evals.wordings import wordings


def test_every_kind_of_lie_is_told_and_nothing_contradicted_passes() -> None:
    tally = measure(range(2), 0)
    assert set(tally.lies) == {*LIES, "another of the drugs", "recombined", "wrong patient"}
    assert tally.true > 20
    assert [lie for kind, lie in tally.missed if kind in ("value", "dose", "drug", "laterality")] == []


def test_other_words_make_true_and_false_sentences_of_a_statement() -> None:
    said = list(wordings("Potassium rose from 4.1 mmol/L (2025-01-02) to 5.6 mmol/L (2026-10-05)."))
    assert {each.text for each in said if each.true}.isdisjoint(each.text for each in said if not each.true)
    assert {each.true for each in said} == {True, False}


def test_the_calibration_error_is_the_distance_of_what_is_stated_from_what_is_right() -> None:
    assert calibration_error(np.full(10, 0.85), np.arange(10) < 6) == pytest.approx(0.25)


def test_reliability_counts_a_refusal_as_right_in_a_lie_and_as_wrong_in_the_truth() -> None:
    patient = example_patient()
    refused = patient.check("Potassium was 5.7 mmol/L.", "k")
    passed = patient.check("Potassium was 5.6 mmol/L.", "k")
    found_counts = counts([Told(refused, false) for false in (False, False, True)] + [Told(passed, true=True)])
    assert found_counts["value", Verdict.CONTRADICTED] == (2, 3)
    assert found_counts["value", Verdict.SUPPORTED] == (1, 1)
