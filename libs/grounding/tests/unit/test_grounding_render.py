"""Statements to text: every value comes from its source, and what has no source is refused."""

from datetime import UTC, datetime

import pytest
from grounding import Sources, Statement, UnknownSourceError, UnrenderableError, Verdict, Verifier, render
from grounding.formula import age_in_years
from grounding.kinds import absence, allergy, calculation, change, evidence, imaging, latest, medication, problem, trend
from grounding.render import cite_fact
from grounding.sources import birth_day
from grounding.statements import Age, Day, Method, Value, Words
from hypothesis import given
from hypothesis import strategies as st
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1.fact_pb2 import (
    FACT_KIND_DOCUMENT,
    FACT_KIND_RESULT,
    FACT_STATUS_ORDERED,
    ClinicalFact,
    CodedConcept,
)
from practice.records import RecordBuilder
from terminology.concepts import LOINC
from testkit.patients import Patient


def statements(patient: Patient) -> list[Statement]:
    ids, sources = patient.ids, patient.sources
    creatinines = (ids["cr1"], ids["cr2"], ids["cr3"])
    person = (ids["born"], ids["sex"])
    one = (latest.statement, medication.statement, allergy.statement, problem.statement, imaging.statement)
    names = ("k", "metformin", "penicillin", "ckd", "opacity")
    return [
        *(speak(sources, ids[name]) for speak, name in zip(one, names, strict=True)),
        *(medication.statement(sources, ids[name]) for name in ("lisinopril", "amoxicillin", "naproxen")),
        *(problem.statement(sources, ids[name]) for name in ("knee", "mother", "bronchitis", "no_stroke")),
        allergy.statement(sources, ids["none"]),
        imaging.statement(sources, ids["no_effusion"]),
        trend.statement(sources, creatinines),
        change.statement(sources, creatinines),
        absence.statement(sources, "troponin I"),
        *(
            calculation.statement(name, (*creatinines, *person))
            for name in ("egfr-ckd-epi-2021", "egfr-slope", "kdigo-g-stage")
        ),
        evidence.statement(sources, ids["label"], ["contraindicated"]),
    ]


def test_every_kind_of_statement_is_verified_when_it_is_read_back(patient: Patient) -> None:
    for statement in statements(patient):
        rendered = render(statement, patient.sources)
        verified = patient.verifier.verify(rendered.text, rendered.citations)
        assert verified.verdict is Verdict.SUPPORTED, (rendered.text, verified.reason)
        assert all(rendered.text[claim.start : claim.end] for claim in verified.claims)


def test_no_statement_is_supported_by_anothers_sources(patient: Patient) -> None:
    for statement in statements(patient):
        rendered = render(statement, patient.sources)
        other = [patient.cite("bronchitis" if patient.ids["bronchitis"] not in statement.fact_ids else "k")]
        if statement.kind == wire.STATEMENT_KIND_ABSENCE:
            continue
        assert patient.verifier.verify(rendered.text, other).verdict is not Verdict.SUPPORTED, rendered.text


def test_an_age_is_that_of_the_day_of_the_question_and_is_read_back(patient: Patient) -> None:
    told = (Words("The patient is "), Age(patient.ids["born"]), Words(" years old"))
    rendered = render(Statement(wire.STATEMENT_KIND_LATEST, told), patient.sources)
    born = birth_day(patient.sources.fact(patient.ids["born"]))
    assert born is not None
    assert str(age_in_years(born, patient.sources.today)) in rendered.text
    assert patient.verifier.verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED
    with pytest.raises(UnrenderableError):
        render(Statement(wire.STATEMENT_KIND_LATEST, (Age(patient.ids["sex"]),)), patient.sources)


@pytest.mark.parametrize(
    ("reason", "verdict"), [("back pain", Verdict.SUPPORTED), ("chest pain", Verdict.CONTRADICTED)]
)
def test_the_reason_of_a_visit_is_supported_in_the_words_in_which_it_was_sent(reason: str, verdict: Verdict) -> None:
    record = RecordBuilder()
    visit = record.encounter("Inpatient", "2026-09-01", "2026-09-03")
    record.facts[0].fact.note = "Back pain"
    sources = Sources.of(datetime(2026, 10, 7, tzinfo=UTC), record.facts, identifiers=[record.patient])
    text = f"Inpatient stay on 2026-09-01, reason “{reason}”."
    assert Verifier(sources).verify(text, [cite_fact(sources.fact(visit))]).verdict is verdict


def test_a_document_is_supported_by_a_document_and_by_nothing_else_of_its_day() -> None:
    record = RecordBuilder()
    letter = ClinicalFact(
        kind=FACT_KIND_DOCUMENT, code=CodedConcept(system=LOINC, code="11488-4", display="Consult note")
    )
    cited = [record.add(letter, "2026-09-01"), record.potassium("4.6", "2026-09-01")]
    sources = Sources.of(datetime(2026, 10, 7, tzinfo=UTC), record.facts, identifiers=[record.patient])
    citations = [cite_fact(sources.fact(each)) for each in cited]
    verdicts = {
        name: Verifier(sources).verify(f"Document: {name} (2026-09-01).", citations).verdict
        for name in ("consult note", "potassium")
    }
    assert verdicts == {"consult note": Verdict.SUPPORTED, "potassium": Verdict.UNSUPPORTED}


def test_values_whose_units_differ_have_no_course() -> None:
    record = RecordBuilder()
    ids = [
        record.result("33914-3", "eGFR", "103.7", "mL/min/{1.73_m2}", "1987-04-25"),
        record.result("33914-3", "eGFR", "78.5", "mL/min", "2018-11-11"),
    ]
    sources = Sources.of(datetime(2026, 11, 1, tzinfo=UTC), record.facts, identifiers=[record.patient])
    with pytest.raises(ValueError, match="one unit"):
        trend.statement(sources, ids)
    assert render(change.statement(sources, ids), sources).text == "Recorded again: eGFR 78.5 mL/min on 2018-11-11."


def test_a_trend_says_first_last_direction_and_dates(patient: Patient) -> None:
    rendered = render(
        trend.statement(patient.sources, [patient.ids[name] for name in ("cr3", "cr1", "cr2")]), patient.sources
    )
    assert rendered.text == (
        "Creatinine rose from 0.92 mg/dL (2024-03-12) to 1.95 mg/dL (2026-10-05); between: 1.21 (2025-02-10)."
    )
    assert [citation.fact_id for citation in rendered.citations] == [patient.ids[n] for n in ("cr1", "cr3", "cr2")]


def test_citations_show_the_words_and_the_place_of_the_source(patient: Patient) -> None:
    (citation,) = render(latest.statement(patient.sources, patient.ids["k"]), patient.sources).citations
    assert citation.quote == "potassium 5.6 mmol/L 2026-10-05"
    assert (citation.source.segment, citation.source.field) == ("OBX[1]", "OBX-5")


def test_a_computed_finding_says_that_a_network_computed_it(patient: Patient) -> None:
    text = render(imaging.statement(patient.sources, patient.ids["opacity"]), patient.sources).text
    assert text == "Image: opacity on 2026-10-05, probability 0.87 (computed from the image by a network)."


@given(st.text(min_size=1).filter(lambda text: any(map(str.isdigit, text))))
def test_words_with_a_digit_cannot_be_made(text: str) -> None:
    with pytest.raises(ValueError, match="no numbers"):
        Words(text)


def test_an_unknown_method_cannot_be_named() -> None:
    with pytest.raises(ValueError, match="method"):
        Method("Formula 9")


def test_a_source_that_the_episode_lacks_is_refused(patient: Patient) -> None:
    for statement in (
        Statement(wire.STATEMENT_KIND_LATEST, (Value("elsewhere"),)),
        Statement(wire.STATEMENT_KIND_LATEST, (Words("x"),), also=("elsewhere",)),
    ):
        with pytest.raises(UnknownSourceError):
            render(statement, patient.sources)
    with pytest.raises(UnknownSourceError):
        evidence.statement(patient.sources, "elsewhere")


def test_a_date_that_is_not_recorded_is_refused(patient: Patient) -> None:
    statement = Statement(wire.STATEMENT_KIND_MEDICATION, (Words("ended "), Day(patient.ids["metformin"], end=True)))
    with pytest.raises(UnrenderableError):
        render(statement, patient.sources)


def test_a_sentence_that_is_a_value_is_quoted_and_a_word_is_not() -> None:
    record = RecordBuilder()
    code = CodedConcept(system=LOINC, code="36572-6", display="XR Chest")
    report = "Patchy opacities in both lungs. No pleural effusion."
    ids = [
        record.add(ClinicalFact(kind=FACT_KIND_RESULT, code=code, text=text), "2026-10-05")
        for text in (report, "Positive")
    ]
    sources = Sources.of(datetime(2026, 11, 1, tzinfo=UTC), record.facts, identifiers=[record.patient])
    rendered = [render(latest.statement(sources, each), sources) for each in ids]
    assert [each.text for each in rendered] == [
        f"XR Chest was “{report}” on 2026-10-05.",
        "XR Chest was Positive on 2026-10-05.",
    ]
    verifier = Verifier(sources)
    assert all(verifier.verify(each.text, each.citations).verdict is Verdict.SUPPORTED for each in rendered)


def test_an_order_that_ran_out_is_stopped() -> None:
    record = RecordBuilder()
    fact_id = record.medication("2551", "ciprofloxacin", "2025-02-10", end="2025-02-20")
    record.facts[-1].fact.status = FACT_STATUS_ORDERED
    sources = Sources.of(datetime(2026, 11, 1, tzinfo=UTC), record.facts, identifiers=[record.patient])
    assert render(medication.statement(sources, fact_id), sources).text == "Ciprofloxacin: stopped on 2025-02-20."


def test_a_long_series_is_thinned_but_keeps_its_ends() -> None:
    record = RecordBuilder()
    ids = [record.potassium(f"4.{month % 10}", f"2025-{month:02}-01") for month in range(1, 13)]
    sources = Sources.of(datetime(2026, 1, 1, tzinfo=UTC), record.facts, identifiers=[record.patient])
    text = render(trend.statement(sources, ids), sources).text
    assert text.count("(2025-") == 8
    assert "(2025-01-01)" in text
    assert "(2025-12-01)" in text


def test_what_was_recorded_before_is_not_called_new() -> None:
    record = RecordBuilder()
    first = record.problem("I10", "Essential (primary) hypertension", "2024-03-12")
    again = record.problem("I10", "Essential (primary) hypertension", "2026-10-05")
    sources = Sources.of(datetime(2026, 10, 6, tzinfo=UTC), record.facts, identifiers=[record.patient])
    rendered = render(change.statement(sources, [first, again]), sources)
    assert rendered.text == "Recorded again: Essential (primary) hypertension on 2026-10-05."
    assert Verifier(sources).verify(rendered.text, rendered.citations).verdict is Verdict.SUPPORTED
    assert render(change.statement(sources, [first]), sources).text.startswith("New: ")
