"""DocumentRead events."""

from datetime import UTC

import pytest
from imaging.domain import document
from imaging.domain.document import Reader
from imaging.domain.page import Line, Page
from longitude.imaging.v1.events_pb2 import DocumentRead, ModelVersion
from longitude.ingestion.v1.events_pb2 import DocumentReceived
from longitude.record.v1 import fact_pb2 as pb

CAUSE = "22222222-2222-5222-8222-222222222222"
MODEL = ModelVersion(name="page_reader", version="rapidocr-3.10.0", sha256="cd" * 32)
READER = Reader(0.8, UTC)


def received(identifier: str = "88-1306") -> DocumentReceived:
    event = DocumentReceived(
        document_id="doc-1",
        patient=pb.PatientKey(id=identifier, authority="LAKESIDE"),
        title="Laboratory report",
        encounter_id="V7",
        source=pb.SourcePointer(control_id="LK0018", segment="OBX[1]", field="OBX-5"),
    )
    event.authored_at.FromJsonString("2025-07-09T10:00:00Z")
    return event


def page(*rows: tuple[str, ...], score: float = 0.97) -> Page:
    lines = []
    for y, row in enumerate(rows):
        for x, text in enumerate(row):
            left, top = 300.0 * x, 40.0 * y
            corners = ((left, top), (left + 280, top), (left + 280, top + 26), (left, top + 26))
            lines.append(Line(text, score, corners))
    return Page(1, 1200, 40 * len(rows) + 10, tuple(lines))


REPORT = (
    ("Patient: 88-1306",),
    ("Collected: 2025-07-08 07:45",),
    ("Analyte", "Result", "Unit", "Reference"),
    ("Creatinine", "121", "umol/L", "49 - 90"),
    ("Potassium", "5.0", "mmol/L", "3.5 - 5.1"),
    ("Unobtainium", "88", "ug/L", "15 - 150"),
)


def read(*rows: tuple[str, ...], score: float = 0.97) -> DocumentRead:
    return document.read(CAUSE, received(), [page(*rows, score=score)], MODEL, READER)


def test_a_known_analyte_is_a_result_with_its_place_and_the_quantity_as_printed() -> None:
    event = read(*REPORT)
    creatinine = event.facts[0]
    assert (creatinine.kind, creatinine.provenance) == (pb.FACT_KIND_RESULT, pb.PROVENANCE_READ_FROM_IMAGE)
    assert (creatinine.code.code, creatinine.quantity.value, creatinine.quantity.unit) == ("2160-0", "1.37", "mg/dL")
    assert (creatinine.source_quantity.value, creatinine.source_quantity.unit) == ("121", "umol/L")
    assert creatinine.reference_range == pb.ReferenceRange(text="49 - 90 umol/L")
    assert creatinine.valid_from.ToJsonString() == creatinine.valid_to.ToJsonString() == "2025-07-08T07:45:00Z"
    assert creatinine.confidence == pytest.approx(0.97)
    assert (creatinine.source.document_id, creatinine.source.page) == ("doc-1", 1)
    assert (creatinine.source.control_id, creatinine.source.segment) == ("LK0018", "OBX[1]")
    assert creatinine.source.event_id == document.reading_id(CAUSE, MODEL)
    assert creatinine.source.box.top == pytest.approx(120 / 250)
    assert creatinine.encounter_id == "V7"


def test_a_value_in_the_records_unit_is_kept_digit_for_digit_with_its_interval() -> None:
    potassium = read(*REPORT).facts[1]
    assert (potassium.quantity.value, potassium.quantity.unit) == ("5.0", "mmol/L")
    assert not potassium.HasField("source_quantity")
    assert potassium.reference_range == pb.ReferenceRange(low="3.5", high="5.1", text="3.5 - 5.1")


def test_an_unknown_analyte_is_reported_and_becomes_no_fact() -> None:
    event = read(*REPORT)
    assert [field.name for field in event.fields][-1] == "Unobtainium"
    assert len(event.facts) == 2


@pytest.mark.parametrize(
    ("name", "value", "unit", "code", "fact"),
    [
        ("Serum creatinine", "1.680", "mg/dL", "2160-0", "1.680 mg/dL"),
        ("Creatinine[Mass/volume]inBlood", "121", "umol/L", "2160-0", "1.37 mg/dL"),
        ("HbA1c", "55", "mmol/mol", "4548-4", "7.2 %"),
        ("Haemoglobin", "121", "g/L", "718-7", "12.1 g/dL"),
        ("Urea", "9.3", "mmol/L", "3094-0", "26.1 mg/dL"),
        ("Urea", "56", "mg/dL", "3094-0", "26.1 mg/dL"),
        ("Blood urea nitrogen", "26", "mg/dL", "3094-0", "26 mg/dL"),
        ("Potassium", "5.0", "meq/L", "2823-3", "5.0 mmol/L"),
        ("eGFR (CKD-EPI)", "38", "mL/min/1.73 m2", "33914-3", "38 mL/min/{1.73_m2}"),
        ("Urine albumin/creatinine ratio", "10", "mg/mmol", "9318-7", "88 mg/g"),
    ],
)
def test_a_printed_name_is_one_analyte_and_its_value_comes_in_the_records_unit(
    name: str, value: str, unit: str, code: str, fact: str
) -> None:
    (result,) = read((name, value, unit)).facts
    assert (result.code.code, f"{result.quantity.value} {result.quantity.unit}") == (code, fact)


def test_urea_is_told_as_urea_nitrogen_beside_what_was_printed() -> None:
    (result,) = read(("Urea", "56", "mg/dL", "17 - 43")).facts
    assert (result.source_quantity.value, result.source_quantity.unit) == ("56", "mg/dL")
    assert result.reference_range == pb.ReferenceRange(text="17 - 43 mg/dL")


@pytest.mark.parametrize(
    "row",
    [
        ("Creatinine clearance", "88", "mL/min"),
        ("Potassium, urine", "40", "mmol/L"),
        ("Urine creatinine", "88", "mg/dL"),
        ("Ferritin", "88", "ng/mL"),
        ("Creatinine", "168", "mg/dL"),
        ("Potassium", "50", "mmol/L"),
        ("Creatinine", "1.68", "g/L"),
        ("HbA1c", "55", "%"),
        ("HbA1c", "7.2"),
    ],
)
def test_what_cannot_be_true_or_is_another_analyte_or_unit_becomes_no_fact(row: tuple[str, ...]) -> None:
    event = read(row)
    assert len(event.fields) == 1
    assert list(event.facts) == []


def test_a_field_below_the_least_confidence_is_reported_and_becomes_no_fact() -> None:
    event = read(*REPORT, score=0.79)
    assert len(event.fields) == 5
    assert list(event.facts) == []


def test_a_page_about_somebody_else_gives_no_facts_and_says_so() -> None:
    event = read(("MRN: 88-1307",), *REPORT[1:])
    assert event.problem == document.OTHER_PATIENT
    assert list(event.facts) == []
    assert "88-1307" not in event.problem


def test_without_a_collection_time_the_documents_own_counts() -> None:
    event = read(*REPORT[2:])
    assert event.facts[0].valid_from.ToJsonString() == "2025-07-09T10:00:00Z"


def test_allergies_of_a_scanned_letter_are_marked_as_read_from_an_image() -> None:
    event = read(("The patient is allergic to penicillin.",))
    (fact,) = event.facts
    assert fact.provenance == pb.PROVENANCE_READ_FROM_IMAGE
    assert fact.confidence == pytest.approx(0.95 * 0.97, abs=1e-4)


def test_a_page_without_text_is_blank() -> None:
    event = document.read(CAUSE, received(), [Page(1, 100, 100, ())], MODEL, READER)
    assert event.problem == document.BLANK
    assert list(event.facts) == []


def test_an_allergy_in_a_letter_points_at_its_characters() -> None:
    text = "Discharge letter.\nShe had anaphylaxis to penicillin in 2014."
    event = document.read_text(CAUSE, received(), text)
    (fact,) = event.facts
    assert (fact.kind, fact.provenance) == (pb.FACT_KIND_ALLERGY, pb.PROVENANCE_READ_FROM_TEXT)
    assert event.text[fact.source.text_start : fact.source.text_end] == "anaphylaxis to penicillin"
    assert (fact.assertion, fact.note) == (pb.ASSERTION_PRESENT, "anaphylaxis")
    assert fact.valid_from.ToJsonString() == "2014-01-01T00:00:00Z"
    assert not fact.HasField("valid_to")


@pytest.mark.parametrize("words", ["hospital number ZZ-999999", "MRN: ZZ-999999", "patient ID ZZ-999999"])
def test_a_letter_about_somebody_else_gives_no_facts_and_says_so(words: str) -> None:
    letter = f"Letter about Mr Other Person, {words}.\nHe is allergic to sulfonamides (angioedema)."
    event = document.read_text("cause", received(), letter)
    assert (event.problem, list(event.facts)) == (document.OTHER_PATIENT, [])


def test_a_letter_that_shows_the_patients_own_number_gives_its_facts() -> None:
    event = document.read_text("cause", received(), "Patient ID 88-1306. Allergic to sulfonamides (angioedema).")
    assert len(event.facts) == 1


def test_no_known_allergies_is_an_absence_with_its_own_slot() -> None:
    first, second = (
        document.read_text(CAUSE, received(), text).facts[0]
        for text in ("No known drug allergies.", "Allergic to latex.")
    )
    assert first.assertion == pb.ASSERTION_ABSENT
    assert first.identity != second.identity


def test_an_allergy_to_a_combination_is_one_fact_for_each_ingredient() -> None:
    facts = document.read_text(CAUSE, received(), "Allergic to Bactrim.").facts
    assert {fact.code.display for fact in facts} == {"sulfamethoxazole", "trimethoprim"}
    assert len({fact.fact_id for fact in facts}) == len({str(fact.identity) for fact in facts}) == 2


def test_the_same_document_gives_the_same_bytes() -> None:
    assert read(*REPORT).SerializeToString(deterministic=True) == read(*REPORT).SerializeToString(deterministic=True)


def test_facts_of_one_document_have_different_ids_and_slots() -> None:
    facts = read(*REPORT, ("Creatinine", "125", "umol/L")).facts
    assert len({fact.fact_id for fact in facts}) == len({str(fact.identity) for fact in facts}) == len(facts) == 3


def test_an_unread_document_keeps_its_problem_and_origin() -> None:
    event = document.unread(received(), "unreadable image: damaged or cut off")
    assert event.problem == "unreadable image: damaged or cut off"
    assert (event.document_id, event.title, event.source.control_id) == ("doc-1", "Laboratory report", "LK0018")
