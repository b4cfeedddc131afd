"""A brief, a specialty's summary and a note: what each says of a record, and what of it a physician would miss."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from consult import Identity, Prepared, Record, Timeline, conclude, prepare_form
from consult.answering.reconciliation import Standing, reconcile
from consult.rules import CITED_PASSAGES
from consult.visits import UnknownSpecialtyError, passages, specialties
from grounding import Sources
from harness import NO_MODEL
from longitude.reasoning.v1 import assessment_pb2 as wire
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import Context
from practice.records import RecordBuilder
from terminology import areas, screenings, tables
from testkit.choosing import tiny_tokenizer

NOW = datetime(2026, 10, 7, tzinfo=UTC)
FORMS = (wire.FORM_BRIEF, wire.FORM_SUMMARY, wire.FORM_NOTE)
HBA1C = ("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood")
SYSTOLIC, DIASTOLIC = ("8480-6", "Systolic blood pressure"), ("8462-4", "Diastolic blood pressure")


def _record() -> RecordBuilder:
    """A woman of 69 with diabetes, kidney disease and fibrillation; last seen in September."""
    record = RecordBuilder()
    record.born("1957-04-18", "F")
    record.problem("R73.03", "Prediabetes", "2010-02-03")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2015-02-03")
    record.problem("E11.9", "Diabetes mellitus Typ II", "2020-02-03")
    record.problem("N18.2", "Chronic kidney disease, stage 2", "2019-02-03")
    record.problem("N18.3", "Chronic kidney disease, stage 3", "2023-02-03")
    record.problem("I48.91", "Atrial fibrillation", "2019-06-04")
    record.problem("J06.9", "Acute upper respiratory infection", "2016-01-10")
    record.problem("K02.9", "Dental caries", "2024-01-10")
    record.problem("J18.9", "Pneumonia", "2012-01-10", end="2012-02-10")
    record.problem("M81.0", "Osteoporosis", "2026-09-01")
    record.medication("6809", "metformin", "2024-09-02", dose="500")
    record.medication("6809", "metformin", "2026-08-03", dose="1000")
    record.medication("11289", "warfarin", "2021-06-11", dose="5")
    record.medication("36567", "simvastatin", "2024-12-01", dose="20")
    record.medication("723", "amoxicillin", "2025-01-07", dose="500")
    record.medication("5640", "ibuprofen", "2026-05-06", dose="400", end="2026-06-06")
    record.allergy("7980", "Penicillin", "2001-05-09")
    for value, day in (("7.9", "2025-02-03"), ("6.4", "2026-09-01")):
        record.result(*HBA1C, value, "%", day)
    for value, day in (("52", "2025-08-04"), ("38", "2026-09-01")):
        record.egfr(value, day)
    record.result(*SYSTOLIC, "128", "mm[Hg]", "2026-09-01")
    record.result(*DIASTOLIC, "76", "mm[Hg]", "2026-09-01")
    record.potassium("4.6", "2026-09-01")
    record.procedure("73761001", "Colonoscopy (procedure)", "2013-04-03")
    record.procedure("180325003", "Electrical cardioversion", "2020-04-03")
    _visit(record, "2025-08-04", "check of the kidneys")
    _visit(record, "2026-09-01", "back pain")
    for passage_id in passages():
        record.passage(passage_id, f"What {passage_id.replace('-', ' ').rstrip('0123456789 ')} says.", grade="B")
    return record


def _visit(record: RecordBuilder, day: str, reason: str) -> None:
    visit = pb.ClinicalFact(kind=pb.FACT_KIND_ENCOUNTER, status=pb.FACT_STATUS_ENDED, note=reason)
    visit.code.CopyFrom(pb.CodedConcept(system="http://terminology.hl7.org/CodeSystem/v3-ActCode", code="AMB"))
    visit.code.display = "ambulatory"
    record.add(visit, day, day)


def _prepared(form: "wire.Form.ValueType", specialty: str = "", builder: RecordBuilder | None = None) -> Prepared:
    record = builder or _record()
    timeline = Timeline(record.facts, [record.patient], record.contradictions)
    read = Record(timeline, Context(), tuple(record.passages), NOW)
    return prepare_form(form, specialty or "cardiology", read, Identity.of("a form"))


def _sections(prepared: Prepared) -> dict[str, list[str]]:
    """What stands in front, by its heading in reading order."""
    found: dict[str, list[str]] = {}
    for each in prepared.front:
        found.setdefault(each.section, []).append(each.text)
    return found


BRIEF = _prepared(wire.FORM_BRIEF)


@pytest.mark.parametrize("form", FORMS)
def test_every_sentence_of_a_form_is_supported_cited_and_said_once(form: "wire.Form.ValueType") -> None:
    front = _prepared(form).front
    said = [each for each in front if each.kind != wire.STATEMENT_KIND_BLANK]
    assert said
    for each in said:
        assert each.verdict == wire.VERDICT_SUPPORTED, each.text
        assert each.citations, each.text
        assert each.section
    texts = [each.text for each in front]
    assert len(texts) == len(set(texts))


def test_the_same_record_gives_the_same_form() -> None:
    assert _prepared(wire.FORM_BRIEF).checked == BRIEF.checked


def test_a_brief_says_why_the_patient_came_last_and_what_is_new_since_the_visit_before() -> None:
    sections = _sections(BRIEF)
    assert sections["Last visit"] == ["Ambulatory visit on 2026-09-01, reason “back pain”"]
    new = " ".join(sections["New at the last visit"])
    assert "Osteoporosis since 2026-09-01" in new
    assert "HbA1c fell from 7.9% (2025-02-03) to 6.4% (2026-09-01)" in new
    assert "eGFR fell from 52" in new
    assert "diabetes" not in new


def test_a_problem_is_told_in_one_line_with_its_newest_values_and_drugs() -> None:
    lines = _sections(BRIEF)["Problems"]
    diabetes = next(each for each in lines if each.startswith("Type 2 diabetes"))
    assert "since 2015-02-03" in diabetes
    assert "HbA1c 6.4% (2026-09-01)" in diabetes
    assert "Typ II" not in " ".join(lines)
    assert "metformin 1000 mg" in diabetes


def test_no_problem_is_told_that_passes_by_itself_or_that_another_one_replaces() -> None:
    told = " ".join(_sections(BRIEF)["Problems"])
    assert "stage 3" in told
    for passed in ("stage 2", "Prediabetes", "respiratory", "caries", "Pneumonia"):
        assert passed not in told


def test_a_drug_stands_in_one_place_with_its_newest_dose() -> None:
    record = _record()
    drugs = reconcile(Sources.of(NOW, record.facts, identifiers=[record.patient]))
    standings = {each.newest.code.display: each.standing for each in drugs}
    assert standings == {
        "metformin": Standing.CURRENT,
        "simvastatin": Standing.NOT_RENEWED,
        "warfarin": Standing.DOUBTFUL,
        "amoxicillin": Standing.DOUBTFUL,
        "ibuprofen": Standing.ENDED,
    }
    sections = _sections(BRIEF)
    assert sections["Medication: current"] == ["Metformin 1000 mg oral: ordered on 2026-08-03."]
    assert sections["Medication: not renewed"] == ["Simvastatin 20 mg oral: ordered on 2024-12-01, not renewed since."]
    assert "Ibuprofen 400 mg oral: stopped on 2026-06-06." in sections["New at the last visit"]


def test_a_drug_with_a_later_order_that_was_stopped_is_doubtful() -> None:
    record = RecordBuilder()
    record.medication("29046", "lisinopril", "2026-06-01", dose="10")
    record.medication("29046", "lisinopril", "2026-07-01", dose="20", end="2026-08-01")
    [drug] = reconcile(Sources.of(NOW, record.facts, identifiers=[record.patient]))
    assert drug.standing is Standing.DOUBTFUL


def test_a_gap_is_told_with_the_last_time_and_in_the_words_of_the_passage_that_asks_for_it() -> None:
    gaps = [each.text for each in BRIEF.checked if each.section == "Care gaps"]
    eyes = next(each for each in gaps if "retinal" in each)
    assert eyes.startswith("No diabetic retinal eye exam was found in the record. “What nih diabetes eye says.”")
    assert any(each.startswith("Colonoscopy was last done on 2013-04-03. “") for each in gaps)
    assert not any("eGFR" in each for each in gaps)


def test_without_its_passage_a_gap_is_not_told() -> None:
    record = _record()
    record.passages.clear()
    assert not any(each.section == "Care gaps" for each in _prepared(wire.FORM_BRIEF, builder=record).checked)


def test_what_is_not_for_this_age_or_sex_is_no_gap() -> None:
    record = RecordBuilder()
    record.born("2010-04-18", "M")
    for passage_id in passages():
        record.passage(passage_id, "What it says.")
    record.problem("J45.909", "Asthma", "2020-01-01")
    gaps = [each.text for each in _prepared(wire.FORM_BRIEF, builder=record).checked if each.section == "Care gaps"]
    assert all("HIV" in each for each in gaps)


def test_what_a_passage_only_offers_is_no_gap() -> None:
    record = RecordBuilder()
    record.born("1964-04-18", "M")
    record.problem("J45.909", "Asthma", "2020-01-01")
    record.passage("uspstf-2018-prostate-55-69", "An individual decision.", grade="C")
    record.passage("uspstf-2021-colorectal-50-75", "All adults aged 50 to 75 years.", grade="A")
    gaps = [each.text for each in _prepared(wire.FORM_BRIEF, builder=record).checked if each.section == "Care gaps"]
    assert [each.partition(" was ")[0] for each in gaps] == ["No colonoscopy"]


def test_the_forms_and_the_answers_ask_for_the_screening_of_one_table() -> None:
    asked = {each.passage for each in screenings.known()}
    assert asked <= passages().keys()
    eyes = next(each.text for each in BRIEF.checked if each.section == "Care gaps" and "retinal" in each.text)
    assert next(each.told for each in screenings.known() if each.id == "diabetic-eye") in eyes


def test_an_allergy_that_a_drug_meets_stands_first_and_its_reaction_is_asked_for() -> None:
    record = _record()
    record.medication("723", "amoxicillin", "2026-09-20", dose="500")
    brief = _prepared(wire.FORM_BRIEF, builder=record)
    first, *_ = _sections(brief)["Not to be missed"]
    assert "amoxicillin" in first.lower()
    assert "allergy" in first
    asked = brief.questions[0]
    assert "Penicillin" in asked.text
    assert asked.to == wire.ADDRESSEE_PATIENT


def test_at_most_three_questions_are_put_each_with_the_statements_that_it_would_change() -> None:
    released = {each.statement_id for each in BRIEF.checked if each.released}
    assert 0 < len(BRIEF.questions) <= 3
    for asked in BRIEF.questions:
        assert asked.because
        assert asked.would_change
        assert asked.citations
        assert asked.statement_ids
        assert set(asked.statement_ids) <= released
    assert any("warfarin" in asked.text for asked in BRIEF.questions)
    assert not any("metformin" in asked.text for asked in BRIEF.questions)


def test_two_values_of_one_moment_that_disagree_are_asked_about() -> None:
    record = _record()
    record.creatinine("0.6", "2026-09-01")
    asked = [each.text for each in _prepared(wire.FORM_BRIEF, builder=record).questions]
    assert any(each.startswith("Which is right: eGFR 38") for each in asked)


def test_a_summary_tells_what_is_of_the_specialty_and_the_rest_by_name() -> None:
    sections = _sections(_prepared(wire.FORM_SUMMARY, "cardiology"))
    assert any("Atrial fibrillation" in each for each in sections["Problems"])
    assert not any("diabetes" in each for each in sections["Problems"])
    assert "Type 2 diabetes" in " ".join(sections["Other problems"])
    assert any("warfarin" in each.lower() for each in sections["Medication: doubtful"])
    assert "Metformin 1000 mg" in " ".join(sections["Other medication"])
    assert any("cardioversion" in each for each in sections["Procedures"])
    assert not any("Colonoscopy" in each for each in sections["Procedures"])


def test_a_specialty_is_known_by_what_people_call_it_and_another_is_refused() -> None:
    assert "nephrology" in specialties()
    assert _prepared(wire.FORM_SUMMARY, "Nephrologist").inputs.question == "Summary for nephrology"
    with pytest.raises(UnknownSpecialtyError, match="cardiology"):
        _prepared(wire.FORM_SUMMARY, "astrology")


def test_a_note_leaves_blanks_that_assert_nothing_for_what_only_the_physician_can_fill_in() -> None:
    note = _prepared(wire.FORM_NOTE)
    blanks = [each for each in note.checked if each.kind == wire.STATEMENT_KIND_BLANK]
    assert {"Chief complaint:", "Examination:", "Plan:"} <= {each.text for each in blanks}
    for each in blanks:
        assert each.released
        assert each.verdict == wire.VERDICT_NO_CLAIM
        assert not each.claims
        assert not each.citations
    titles = [each.section.partition(":")[0] for each in note.front]
    assert list(dict.fromkeys(titles)) == ["Subjective", "Objective", "Assessment", "Plan"]


def test_a_blood_pressure_is_told_as_a_pair() -> None:
    told = " ".join(_sections(_prepared(wire.FORM_NOTE))["Objective: vital signs"])
    assert "Blood pressure 128/76 mmHg (2026-09-01)" in told


def test_a_form_concludes_as_an_episode_of_rules_alone() -> None:
    run = BRIEF.begin(NO_MODEL, tiny_tokenizer("finish"))
    run.start(at=NOW)
    made = conclude(BRIEF, run, _record().patient, NO_MODEL, NOW).assessment
    assert made.form == wire.FORM_BRIEF
    assert made.question == "Visit preparation"
    assert list(made.questions) == BRIEF.questions
    # The passages that rules quote are not in this record; those that say what is due are.
    missing = len(CITED_PASSAGES.keys() - passages().keys())
    assert made.degraded == [f"evidence: {missing} passages that rules quote were not found in the library"]


@pytest.mark.parametrize(("part", "name"), [("visits", "specialties"), ("visits", "gaps"), ("answering", "passing")])
def test_the_tables_of_forms_name_only_what_terminology_knows(part: str, name: str) -> None:
    folder = Path(__file__).parents[2] / "src/consult" / part / "data"
    rows = tables.read(name, tables.header(name, folder), folder)
    for row in rows:
        assert set(row.cells.get("areas", "").split("|")) - {""} <= areas.known().keys()
        assert all(cell == cell.strip() for cell in row.cells.values())


def test_letters_of_the_specialty_are_told_with_their_day() -> None:
    record = _record()
    letter = pb.ClinicalFact(kind=pb.FACT_KIND_DOCUMENT, status=pb.FACT_STATUS_FINAL)
    letter.code.CopyFrom(pb.CodedConcept(system="http://loinc.org", code="34099-2", display="Cardiology Consult note"))
    record.add(letter, "2026-03-02")
    told = _sections(_prepared(wire.FORM_SUMMARY, "cardiology", record))["Letters and reports"]
    assert told == ["Document: Cardiology Consult note (2026-03-02)."]
    assert "Letters and reports" not in _sections(_prepared(wire.FORM_SUMMARY, "nephrology", record))


def test_what_lasts_beside_what_passes_stays_on_the_list_and_a_disorder_is_no_circumstance() -> None:
    record = RecordBuilder()
    record.born("1957-04-18", "F")
    record.problem("M80.00XA", "Age-related osteoporosis with current pathological fracture", "2019-02-03")
    record.problem("F43.10", "Post-traumatic stress disorder", "2015-02-03")
    record.problem("J18.9", "Pneumonia", "2019-02-03")
    told = " ".join(_sections(_prepared(wire.FORM_BRIEF, builder=record))["Problems"])
    assert "osteoporosis" in told
    assert "stress disorder" in told
    assert "Pneumonia" not in told


def test_where_no_allergy_is_recorded_the_brief_says_so() -> None:
    record = RecordBuilder()
    record.born("1957-04-18", "F")
    record.potassium("4.6", "2026-09-01")
    [told] = _sections(_prepared(wire.FORM_BRIEF, builder=record))["Allergies"]
    assert told.startswith("No drug allergy was found in the record")


@pytest.mark.parametrize("form", FORMS)
def test_a_birth_that_lies_ahead_is_no_age_and_the_rest_is_written(form: "wire.Form.ValueType") -> None:
    record = RecordBuilder()
    record.born("2031-04-18", "F")
    record.problem("E11.9", "Type 2 diabetes mellitus", "2015-02-03")
    for passage_id in passages():
        record.passage(passage_id, "Whatever is due.", grade="B")
    told = [each.text for each in _prepared(form, builder=record).checked if each.released]
    assert any("diabetes" in each for each in told)
    assert not any(aged in each for each in told for aged in ("years old", "year-old"))


def test_what_rows_of_knowledge_ask_for_stands_under_a_heading_of_its_own_with_the_row() -> None:
    record = RecordBuilder()
    record.problem("J44.9", "Chronic obstructive pulmonary disease", "2015-02-03")
    record.medication("6448", "lithium", "2020-01-01")
    record.medication("6448", "lithium", "2026-08-01")
    due = [each for each in _prepared(wire.FORM_BRIEF, builder=record).checked if each.section == "Also due"]
    assert {"controls/copd-spirometry@1", "monitoring/lithium-level@1"} <= {each.row for each in due}
    assert all(each.released for each in due)
    assert len(due) <= 12
