"""The verifier evaluation measures what it says: every kind of lie is told, and each is false."""

import pytest
from entailment.pairs import Part
from grounding import Verdict
from testkit.patients import example_patient

from tests.evals import asfound, found
from tests.evals.lies import LIES
from tests.evals.pairs import of_stories
from tests.evals.reliability import Told, counts
from tests.evals.verifier import measure
from tests.evals.wordings import wordings


def test_every_kind_of_lie_is_told_and_nothing_contradicted_passes() -> None:
    tally = measure(range(2), 0)
    assert set(tally.lies) == {*LIES, "another of the drugs", "recombined", "wrong patient"}
    assert tally.true > 20
    assert [lie for kind, lie in tally.missed if kind in ("value", "dose", "drug", "laterality")] == []


def test_the_model_learns_true_and_false_sentences_each_with_the_words_of_its_sources() -> None:
    pairs = list(of_stories(1))
    assert {(pair.origin, pair.supported) for pair in pairs} == {
        (origin, supported) for origin in ("stories", "wordings") for supported in (True, False)
    }
    assert all(pair.evidence for pair in pairs)


def test_what_is_reported_on_is_said_in_words_that_did_not_train() -> None:
    said = list(wordings("Potassium rose from 4.1 mmol/L (2025-01-02) to 5.6 mmol/L (2026-10-05)."))
    parts = {part: {each.text for each in said if each.part is part} for part in Part}
    assert all(parts.values())
    assert not parts[Part.TRAIN] & parts[Part.REPORT]
    assert {each.true for each in said if each.part is Part.REPORT} == {True, False}


def test_without_the_corpora_nothing_is_measured_on_them_and_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(asfound, "CORPUS", "")
    assert (list(asfound.pairs()), found.measure()) == ([], None)
    assert "MISSING" in capsys.readouterr().err


def test_reliability_counts_a_refusal_as_right_in_a_lie_and_as_wrong_in_the_truth() -> None:
    patient = example_patient()
    refused = patient.check("Potassium was 5.7 mmol/L.", "k")
    passed = patient.check("Potassium was 5.6 mmol/L.", "k")
    found_counts = counts([Told(refused, false) for false in (False, False, True)] + [Told(passed, true=True)])
    assert found_counts["value", Verdict.CONTRADICTED] == (2, 3)
    assert found_counts["value", Verdict.SUPPORTED] == (1, 1)
