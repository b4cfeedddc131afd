"""What an episode starts from."""

from datetime import UTC, datetime

from consult import rules
from consult.drafting import draft, draft_rules
from consult.gate import gate
from consult.inputs import Budget, compile_inputs
from consult.record import Record, SignedAssessment, Timeline
from consult.wording import word
from grounding import Sources, Verifier
from harness.actions import AskPhysician, QuestionPurpose
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.reasoning.v1.assessment_pb2 import AssessedStatement, Assessment
from longitude.record.v1.context_pb2 import Context, Note
from longitude.record.v1.fact_pb2 import FACT_KIND_MEDICATION
from practice.records import RecordBuilder

Patient = tuple[RecordBuilder, dict[str, str]]
NOW = datetime(2026, 10, 7, tzinfo=UTC)


def record_of(builder: RecordBuilder, signed: SignedAssessment | None = None, asked_at: datetime = NOW) -> Record:
    timeline = Timeline(facts=builder.facts, contradictions=builder.contradictions, identifiers=[builder.patient])
    return Record(timeline, Context(), tuple(builder.passages), asked_at, signed)


def statements(sources: Sources) -> list[AssessedStatement]:
    return gate(draft_rules(rules.speak(sources), sources), Verifier(sources), "a")


def test_the_model_is_told_in_few_words_what_the_rules_said(patient: Patient) -> None:
    record = record_of(patient[0])
    sources = record.sources()
    inputs = compile_inputs("What changed?", record, sources, statements(sources), Budget(500))
    told = [finding.name for finding in inputs.findings]
    assert "metformin_and_kidney_function" in told
    assert "open_contradictions" in told
    assert all(len(finding.text) < 120 and "“" not in finding.text for finding in inputs.findings)


def test_a_follow_up_compares_with_the_last_encounter_and_then_with_the_last_signature(patient: Patient) -> None:
    record = record_of(patient[0])
    inputs = compile_inputs("What changed?", record, record.sources(), [], Budget(500))
    assert inputs.flow == "follow_up"
    assert inputs.since.ToDatetime(tzinfo=UTC).date().isoformat() == "2025-02-14"
    question = AssessedStatement(kind=wire.STATEMENT_KIND_QUESTION, text="Which of them is correct?", released=True)
    signed = SignedAssessment(Assessment(statements=[question]), datetime(2026, 1, 1, tzinfo=UTC))
    record = record_of(patient[0], signed)
    inputs = compile_inputs("What changed?", record, record.sources(), [], Budget(500))
    assert inputs.since.ToDatetime(tzinfo=UTC) == signed.signed_at
    assert [finding.text for finding in inputs.findings] == [question.text]


def test_a_follow_up_starts_from_what_the_model_asked_and_a_physician_signed(patient: Patient) -> None:
    builder, ids = patient
    sources = record_of(builder).sources()
    asked = word(AskPhysician(ids["metformin"], QuestionPurpose.ADHERENCE), sources)
    found = draft(asked, sources, wire.AUTHOR_MODEL, "pharmacist")
    assert found is not None
    assessment = Assessment(statements=gate([found], Verifier(sources), "a"))
    record = record_of(builder, SignedAssessment(assessment, datetime(2026, 1, 1, tzinfo=UTC)))
    (open_point,) = compile_inputs("What changed?", record, record.sources(), [], Budget(500)).findings
    assert open_point.text.startswith("Is this medication taken as recorded: metformin 1000 mg oral twice daily")


def test_a_first_visit_has_nothing_to_compare_with() -> None:
    builder = RecordBuilder()
    builder.potassium("4.3", "2026-10-05")
    record = record_of(builder)
    inputs = compile_inputs("What changed?", record, record.sources(), [], Budget(500))
    assert inputs.flow == "first_visit"
    assert not inputs.HasField("since")


def test_what_is_nowhere_in_the_record_is_named_and_what_is_there_is_not(patient: Patient) -> None:
    record = record_of(patient[0])
    inputs = compile_inputs("What changed?", record, record.sources(), [], Budget(500))
    assert [concept.display for concept in inputs.absences] == ["HbA1c", "albumin/creatinine ratio"]


def test_calculations_bring_the_facts_they_need(patient: Patient) -> None:
    record = record_of(patient[0])
    inputs = compile_inputs("What changed?", record, record.sources(), [], Budget(500))
    names = {"egfr-ckd-epi-2021", "kdigo-g-stage", "egfr-slope", "dose-limit"}
    assert {each.name for each in inputs.calculations} == names
    held = {each.fact.fact_id for each in inputs.context.facts}
    assert {fact_id for each in inputs.calculations for fact_id in (each.about, *each.fact_ids)} <= held


def test_a_dose_limit_is_asked_for_about_its_medication(patient: Patient) -> None:
    builder, ids = patient
    record = record_of(builder)
    inputs = compile_inputs("What changed?", record, record.sources(), [], Budget(500))
    limited = {each.about for each in inputs.calculations if each.purpose == "dose"}
    assert limited == {ids["metformin"], ids["naproxen"]}  # lisinopril has no listed limit


def test_what_the_rules_ask_the_model_need_not_ask(patient: Patient) -> None:
    builder, ids = patient
    record = record_of(builder)
    inputs = compile_inputs("What changed?", record, record.sources(), statements(record.sources()), Budget(500))
    assert {ids["none"], ids["penicillin"]} <= set(inputs.asked_fact_ids)


def test_free_text_is_written_only_where_it_is_asked_for(patient: Patient) -> None:
    record = record_of(patient[0])
    tokens = [
        compile_inputs("What changed?", record, record.sources(), [], Budget(500, each)).policy for each in (0, 40)
    ]
    assert [each.prose_tokens for each in tokens] == [0, 40]


def test_a_record_that_runs_ahead_of_the_clock_is_read_as_of_its_newest_entry(patient: Patient) -> None:
    builder, ids = patient
    record = record_of(builder, asked_at=datetime(2025, 11, 1, tzinfo=UTC))
    assert record.as_of.date().isoformat() == "2026-10-06"
    assert ids["naproxen"] in {fact.fact_id for fact in record.sources().active(FACT_KIND_MEDICATION)}


def test_the_texts_of_documents_may_be_cited_by_who_has_read_them(patient: Patient) -> None:
    builder, ids = patient
    note = Note(fact_id=ids["k3"], text="Her mother had breast cancer.")
    record = Record(record_of(builder).timeline, Context(), (), NOW, notes=(note,))
    assert record.sources().notes == (note,)
    assert record_of(builder).sources().notes == ()


def test_the_timeline_decides_what_was_superseded(patient: Patient) -> None:
    builder, ids = patient
    record = record_of(builder)
    record.context.facts.add().fact.CopyFrom(record.sources().fact(ids["k3"]))
    builder.supersede(ids["k3"], ids["k2"], "2026-10-06")
    record = Record(record_of(builder).timeline, record.context, (), NOW)
    assert not record.sources().is_current(ids["k3"])
