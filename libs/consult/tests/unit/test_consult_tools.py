"""What the tools bring from a record is what an episode's inputs foretell; nothing of the record is changed."""

from datetime import UTC, datetime

import pytest
from consult.inputs import Budget, compile_inputs
from consult.record import Record, SignedAssessment, Timeline
from consult.tools import RecordTools
from harness import CallTool, Failed, ToolResult
from longitude.reasoning.v1.assessment_pb2 import Assessment
from longitude.reasoning.v1.episode_pb2 import EpisodeInputs
from longitude.record.v1.context_pb2 import Context
from longitude.record.v1.fact_pb2 import FACT_KIND_DOCUMENT, ClinicalFact, CodedConcept
from practice.records import RecordBuilder

Patient = tuple[RecordBuilder, dict[str, str]]
NOW = datetime(2026, 10, 7, tzinfo=UTC)


def record_of(builder: RecordBuilder, signed: SignedAssessment | None = None) -> Record:
    """A record whose context shows every fact."""
    context = Context(facts=builder.facts)
    for each in builder.facts:
        context.lines.add(text=each.fact.fact_id, fact_id=each.fact.fact_id)
    timeline = Timeline(facts=builder.facts, identifiers=[builder.patient])
    return Record(timeline, context, (), NOW, signed)


def inputs_of(record: Record) -> EpisodeInputs:
    return compile_inputs("What changed?", record, record.sources(), [], Budget(500))


def call(record: Record, tool: str, fact_id: str = "", purpose: str = "") -> ToolResult:
    """A call as the harness makes it."""
    arguments = {"query": "", "fact_id": fact_id, "system": "", "code": ""}
    for each in inputs_of(record).calculations:
        if (each.about, each.purpose) == (fact_id, purpose):
            arguments |= {"calculation": each.name, "inputs": " ".join(each.fact_ids)}
    result = RecordTools.of(record).answer(CallTool("a role", tool, arguments, purpose))
    assert isinstance(result, ToolResult)
    return result


def shown(result: ToolResult) -> list[str]:
    return [line.fact_id for line in result.context.lines]


def test_a_comparison_brings_what_began_or_ended_since_the_last_visit_and_what_it_is_told_against(
    patient: Patient,
) -> None:
    builder, ids = patient
    result = call(record_of(builder), "compare_with_last_visit")
    assert set(shown(result)) <= {ids[name] for name in ("cr3", "egfr3", "k3", "naproxen", "ckd")}
    assert {ids["naproxen"], ids["ckd"], ids["cr3"]} <= set(shown(result))
    beside = {held.fact.fact_id for held in result.context.facts} - set(shown(result))
    assert ids["cr2"] in beside  # the creatinine of the last visit


def test_a_comparison_counts_from_the_last_signature(patient: Patient) -> None:
    builder, ids = patient
    signed = SignedAssessment(Assessment(), datetime(2026, 10, 6, tzinfo=UTC))
    assert shown(call(record_of(builder, signed), "compare_with_last_visit")) == [ids["naproxen"]]
    later = SignedAssessment(Assessment(), datetime(2026, 10, 7, tzinfo=UTC))
    assert shown(call(record_of(builder, later), "compare_with_last_visit")) == []


def test_a_timeline_brings_the_results_of_one_code(patient: Patient) -> None:
    builder, ids = patient
    assert shown(call(record_of(builder), "read_timeline", ids["k3"])) == [ids["k3"], ids["k2"], ids["k1"]]


def test_a_document_brings_what_was_read_from_it_and_nothing_of_another(patient: Patient) -> None:
    builder, ids = patient
    builder.facts[-1].fact.source.document_id = "another"
    next(held for held in builder.facts if held.fact.fact_id == ids["penicillin"]).fact.source.document_id = "letter"
    letter = ClinicalFact(kind=FACT_KIND_DOCUMENT, code=CodedConcept(code="letter", display="Discharge letter"))
    letter.source.document_id = "letter"
    document = builder.add(letter, "2025-02-14")
    assert shown(call(record_of(builder), "read_document", document)) == [ids["penicillin"]]


@pytest.mark.parametrize("tool", ["read_timeline", "read_image_findings", "compare_with_last_visit"])
def test_what_a_call_brings_is_foretold(tool: str, patient: Patient) -> None:
    record = record_of(patient[0])
    foretold = [reach for reach in inputs_of(record).reach if reach.tool == tool]
    assert foretold
    for reach in foretold:
        assert shown(call(record, tool, reach.fact_id)) == list(reach.fact_ids)


def test_what_was_replaced_or_withdrawn_is_not_brought(patient: Patient) -> None:
    builder, ids = patient
    builder.supersede(ids["k3"], ids["k2"], "2026-10-06")
    assert shown(call(record_of(builder), "read_timeline", ids["k2"])) == [ids["k2"], ids["k1"]]


def test_a_calculation_brings_its_value_in_words_and_its_inputs(patient: Patient) -> None:
    builder, ids = patient
    record = record_of(builder)
    result = call(record, "calculate", ids["metformin"], "dose")
    (value,) = result.calculations
    assert value.text == "With the creatinine of 2026-10-05, metformin: contraindicated by FDA label."
    assert (value.name, value.about, value.purpose) == ("dose-limit", ids["metformin"], "dose")
    assert {held.fact.fact_id for held in result.context.facts} == set(value.fact_ids)
    assert list(result.context.lines) == []


def test_what_is_not_there_or_cannot_be_computed_is_a_failure_of_its_own_kind(patient: Patient) -> None:
    builder, ids = patient
    tools = RecordTools.of(record_of(builder))
    about = {"query": "", "fact_id": "elsewhere", "system": "", "code": ""}
    for tool in ("read_timeline", "delete_record"):
        assert tools.answer(CallTool("a role", tool, about, "trend")) == Failed("not found")
    asked = about | {"calculation": "kdigo-g-stage", "inputs": "elsewhere"}
    assert tools.answer(CallTool("a role", "calculate", asked, "dose")) == Failed("not found")
    asked = about | {"calculation": "egfr-ckd-epi-2021", "inputs": ids["k3"]}
    assert tools.answer(CallTool("a role", "calculate", asked, "function")) == Failed("refused")
