"""What memory gathered becomes one context, wherever it is composed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from consult.context.composing import Gathered, Note, compose, evidence_question
from consult.context.tokens import estimate
from longitude.record.v1 import fact_pb2 as cf
from longitude.record.v1.context_pb2 import Context, Contradiction, Passage, RecordedFact

Build = Callable[..., Any]
At = Callable[[float], datetime]
LETTER = cf.SourcePointer(document_id="letter")
METFORMIN = Passage(passage_id="p", title="Metformin and kidney function", text="Metformin is stopped below 30.")
OTHER = Passage(passage_id="q", title="Asthma", text="Inhaled steroids come first.")


@pytest.fixture
def facts(fact: Build) -> list[cf.ClinicalFact]:
    return [
        fact(fact_id="metformin", kind=cf.FACT_KIND_MEDICATION, code="6809", display="metformin"),
        fact(fact_id="ckd", kind=cf.FACT_KIND_PROBLEM, code="709044004", display="Chronic kidney disease"),
        fact(fact_id="creatinine", value="1.8"),
        fact(fact_id="a-read", kind=cf.FACT_KIND_PROBLEM, code="73211009", display="Diabetes", source=LETTER),
        fact(fact_id="letter-1", kind=cf.FACT_KIND_DOCUMENT, code="letter", display="Letter", source=LETTER),
    ]


def composed(facts: list[cf.ClinicalFact], at: At, notes: list[Note], budget: int = 1000) -> Context:
    contradictions = [Contradiction(contradiction_id="c", rule="rule", fact_ids=["metformin"])]
    recorded = [RecordedFact(fact=each) for each in facts]
    near = [METFORMIN, OTHER]
    gathered = Gathered(recorded, contradictions, [cf.PatientKey(id="1")], notes, near, ["notes: away"])
    return compose(gathered, "When is metformin stopped?", budget, at(10), estimate)


def test_a_note_rests_on_its_own_fact_or_on_its_documents_and_without_one_it_is_on_no_line(
    facts: list[cf.ClinicalFact], at: At
) -> None:
    notes = [
        Note("Read from the letter.", at(1), document_id="letter"),
        Note("Remark on a result.", at(1), fact_id="creatinine"),
        Note("From nowhere.", at(1), document_id="another"),
    ]
    shown = {line.text: line.fact_id for line in composed(facts, at, notes).lines if line.text.startswith("Note")}
    assert shown == {
        "Note 2024-01-02: Read from the letter.": "letter-1",
        "Note 2024-01-02: Remark on a result.": "creatinine",
    }


def test_only_passages_that_concern_the_question_are_offered(facts: list[cf.ClinicalFact], at: At) -> None:
    context = composed(facts, at, [])
    assert [each.passage_id for each in context.passages] == ["p"]
    assert [line.passage_id for line in context.lines if line.passage_id] == ["p"]


def test_everything_gathered_is_handed_on_whatever_fits_the_budget(facts: list[cf.ClinicalFact], at: At) -> None:
    context = composed(facts, at, [], budget=20)
    assert context.tokens <= 20
    assert len(context.facts) == len(facts)
    assert context.omitted == len(facts) - len({line.fact_id for line in context.lines if line.fact_id})
    assert [each.contradiction_id for each in context.contradictions] == ["c"]
    assert list(context.degraded) == ["notes: away"]


def test_evidence_is_asked_for_with_what_is_taken_and_what_the_patient_has_but_not_with_results(
    facts: list[cf.ClinicalFact],
) -> None:
    codes = evidence_question("What now?", facts).codes
    by_code = {key.partition("|")[2]: weight for key, weight in codes.items()}
    assert (by_code["6809"], by_code["709044004"]) == (2, 1)
    assert "2160-0" not in by_code
