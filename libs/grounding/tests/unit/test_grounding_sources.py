"""The index over what an episode may cite."""

from datetime import UTC, datetime
from random import Random

import pytest
from grounding import Sources, UnknownSourceError, Verdict, Verifier, facts, render
from grounding.comparing.record import Record
from grounding.kinds import latest
from longitude.reasoning.v1.assessment_pb2 import Citation
from longitude.record.v1 import fact_pb2 as clinical
from longitude.record.v1.context_pb2 import CONTRADICTION_STATE_RESOLVED, Note, Passage
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_PROBLEM,
    FACT_KIND_RESULT,
    PatientKey,
)
from practice.records import RecordBuilder, stamp
from testkit.kidneys import failing_kidneys

NOW = datetime(2026, 10, 7, tzinfo=UTC)


def sources_of(record: RecordBuilder) -> Sources:
    return Sources.of(NOW, record.facts, record.passages, record.contradictions, [record.patient])


def test_the_order_of_the_input_does_not_matter() -> None:
    record = RecordBuilder()
    ids = [record.potassium(f"4.{n}", f"2025-0{n}-01") for n in range(1, 10)]
    shuffled = list(record.facts)
    Random(7).shuffle(shuffled)
    sources = Sources.of(NOW, shuffled, identifiers=[record.patient])
    assert [fact.fact_id for fact in sources.series("2823-3")] == ids


def test_passages_are_added_beside_what_was_worked_out_of_the_facts() -> None:
    record = RecordBuilder()
    record.potassium("4.1", "2025-01-01")
    before = sources_of(record)
    known = Record(before, before.current).known
    passage = Passage(passage_id="p", text="Check potassium.", source="A guideline, 2024")
    after = before.with_passages([passage])
    whole = Sources.of(NOW, record.facts, [passage], identifiers=[record.patient])
    assert (before.passages, after.passages) == ((), whole.passages)
    assert after.current is before.current
    titled = Record(after, after.current).known
    assert titled.names is known.names
    assert titled.titles == Record(whole, whole.current).known.titles
    assert Record(before, before.current).known is known


def test_another_patients_fact_cannot_be_cited() -> None:
    record = RecordBuilder()
    mine = record.potassium("4.1", "2025-01-01")
    other = RecordBuilder(PatientKey(id="NW-2", authority="NORTHWEST"))
    theirs = other.add(other.facts[0].fact if other.facts else clinical.ClinicalFact(fact_id="theirs"), "2025-01-01")
    sources = Sources.of(NOW, [*record.facts, *other.facts], identifiers=[record.patient])
    assert sources.has_fact(mine)
    with pytest.raises(UnknownSourceError):
        sources.fact(theirs)


def test_a_replaced_result_is_not_current_and_cannot_be_said_as_it_was() -> None:
    record = RecordBuilder()
    old, new = record.potassium("6.9", "2025-02-12"), record.potassium("4.9", "2025-02-12")
    record.supersede(old, new, "2025-02-13")
    sources = sources_of(record)
    assert [fact.fact_id for fact in sources.series("2823-3")] == [new]
    rendered = render(latest.statement(sources, old), sources)
    assert Verifier(sources).verify(rendered.text, rendered.citations).verdict is Verdict.CONTRADICTED


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Corrected result: potassium 4.9 mmol/L replaces 6.9 mmol/L.", Verdict.SUPPORTED),
        ("Potassium 6.9 mmol/L was corrected to 4.9 mmol/L on 2025-02-12.", Verdict.SUPPORTED),
        ("Corrected result: potassium 6.9 mmol/L replaces 4.9 mmol/L.", Verdict.CONTRADICTED),
        ("Potassium 4.9 mmol/L was corrected to 6.9 mmol/L.", Verdict.CONTRADICTED),
        ("Corrected result: potassium 4.9 mmol/L replaces 4.9 mmol/L.", Verdict.CONTRADICTED),
        ("Corrected result: potassium 6.9 mmol/L.", Verdict.CONTRADICTED),
    ],
)
def test_a_correction_is_told_the_right_way_round(text: str, verdict: Verdict) -> None:
    record = RecordBuilder()
    old, new = record.potassium("6.9", "2025-02-12"), record.potassium("4.9", "2025-02-12")
    record.supersede(old, new, "2025-02-13")
    verifier = Verifier(sources_of(record))
    assert verifier.verify(text, [Citation(fact_id=old), Citation(fact_id=new)]).verdict is verdict


def test_a_withdrawn_fact_is_not_current() -> None:
    record = RecordBuilder()
    withdrawn = record.problem("J45", "Asthma", "2025-01-01")
    record.facts[-1].fact.status = clinical.FACT_STATUS_ENTERED_IN_ERROR
    sources = sources_of(record)
    assert not sources.is_current(withdrawn)
    citation = Citation(fact_id=withdrawn)
    assert Verifier(sources).verify("Problem: Asthma.", [citation]).verdict is Verdict.CONTRADICTED


def test_active_is_a_question_of_the_day() -> None:
    record = RecordBuilder()
    going = record.medication("6809", "metformin", "2024-01-01")
    ended = record.medication("723", "amoxicillin", "2025-02-10", end="2025-02-14")
    sources = sources_of(record)
    assert [fact.fact_id for fact in sources.active(FACT_KIND_MEDICATION)] == [going]
    assert ended in [fact.fact_id for fact in sources.of_kind(FACT_KIND_MEDICATION)]


def test_notes_are_of_documents_in_force_of_this_patient_oldest_first() -> None:
    record, other = RecordBuilder(), RecordBuilder(PatientKey(id="NW-2", authority="NORTHWEST"))
    names = ("new", "old", "undated", "replaced", "withdrawn")
    for builder, fact_ids in ((record, names), (other, ("theirs",))):
        for fact_id in fact_ids:
            builder.add(clinical.ClinicalFact(fact_id=fact_id, kind=clinical.FACT_KIND_DOCUMENT))
    record.supersede("replaced", "new", "2025-02-13")
    record.facts[-1].fact.status = clinical.FACT_STATUS_ENTERED_IN_ERROR
    notes = [Note(fact_id=fact_id, text=fact_id) for fact_id in (*names, "theirs", "unknown", "new")]
    for note in notes:
        if note.fact_id != "undated":
            note.authored_at.CopyFrom(stamp("2020-01-01" if note.fact_id == "old" else "2025-01-01"))
    for given in (notes, notes[::-1]):
        sources = Sources.of(NOW, [*record.facts, *other.facts], identifiers=[record.patient], notes=given)
        assert [note.fact_id for note in sources.notes] == ["undated", "old", "new"]


def test_resolved_contradictions_are_left_out() -> None:
    record = RecordBuilder()
    record.contradiction("rule", "a", "b")
    record.contradiction("rule", "c", "d")
    record.contradictions[0].state = CONTRADICTION_STATE_RESOLVED
    assert [each.contradiction_id for each in sources_of(record).contradictions] == ["contradiction-2"]


def test_egfr_codes_of_all_equations_are_one_series() -> None:
    record = RecordBuilder()
    one = record.egfr("68", "2024-03-12")
    other = record.result("98979-8", "eGFR CKD-EPI 2021", "28", "mL/min/1.73m2", "2026-10-05")
    assert [fact.fact_id for fact in sources_of(record).series("33914-3")] == [one, other]


def test_facts_are_found_by_key_and_by_kind_as_a_look_at_each_would_find_them() -> None:
    sources = sources_of(failing_kidneys()[0])
    for key in {key for fact in sources.current for key in facts.keys(fact)} | {"nothing"}:
        assert sources.with_key(key) == tuple(fact for fact in sources.current if key in facts.keys(fact))
    for kinds in ((FACT_KIND_RESULT,), (FACT_KIND_ALLERGY, FACT_KIND_PROBLEM), ()):
        assert sources.of_kind(*kinds) == tuple(fact for fact in sources.current if fact.kind in kinds)


def test_the_names_of_a_record_are_worked_out_once_for_all_who_read_it() -> None:
    sources = sources_of(failing_kidneys()[0])
    assert Record(sources, sources.current).known is Verifier(sources).record.known
    cited = sources.current[:1]
    assert Record(sources, cited).known is not Record(sources, sources.current).known
