"""What messages say becomes facts in the common vocabulary, each with a pointer to where it stands."""

import base64
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingestion.domain.feed import FeedRules
from ingestion.domain.reading import Feed, Reading, read
from ingestion.domain.reception import document_events
from ingestion.domain.refusal import RefusedError
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.object_pb2 import ObjectRef

ARRIVED = datetime(2024, 6, 1, 12, tzinfo=UTC)
PID = "PID|1||P1^^^NORTH^MR||Testperson^Ada||19600102|F"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"


def reading(message_type: str, *segments: str, feed: Feed | None = None, facility: str = "NORTH") -> Reading:
    header = f"MSH|^~\\&|APP|{facility}|||20240301120000||{message_type}|M1|P|2.5.1"
    return read("\r".join([header, *segments, ""]).encode(), ARRIVED, feed or Feed())


def said(read_message: Reading) -> list[str]:
    """The remarks of a reading, a line each."""
    return [f"{remark.segment} {remark.field}: {remark.reason}" for remark in read_message.remarks]


def facts(message_type: str, *segments: str, kind: str = "") -> list[pb.ClinicalFact]:
    """Facts of a message about the test patient, demographics left out unless asked for."""
    found = reading(message_type, PID, *segments).content.facts
    wanted = pb.FactKind.Value(f"FACT_KIND_{kind}") if kind else None
    return [f for f in found if (f.kind == wanted if wanted else f.kind != pb.FACT_KIND_DEMOGRAPHIC)]


def one(message_type: str, *segments: str, kind: str = "") -> pb.ClinicalFact:
    (fact,) = facts(message_type, *segments, kind=kind)
    return fact


def obx(
    value: str, *, kind: str = "NM", code: str = "2160-0^Creatinine^LN", unit: str = "mg/dL", status: str = "F"
) -> str:
    return f"OBX|1|{kind}|{code}||{value}|{unit}|0.6-1.2|H|||{status}|||20240229083000+0100"


OBR = "OBR|1|PL7|FI9|24323-8^Panel^LN|||20240229"


def quantity(fact: pb.ClinicalFact) -> tuple[str, str, str]:
    return fact.quantity.comparator, fact.quantity.value, fact.quantity.unit


# --- results


def test_a_result_carries_code_value_unit_time_range_flag_and_pointer() -> None:
    fact = one("ORU^R01", OBR, obx("1.40"))
    assert (fact.code.system, fact.code.code) == (LOINC, "2160-0")
    assert quantity(fact) == ("", "1.40", "mg/dL")
    assert not fact.HasField("source_quantity")
    assert fact.valid_from.ToJsonString() == fact.valid_to.ToJsonString() == "2024-02-29T07:30:00Z"
    assert (fact.reference_range.low, fact.reference_range.high, fact.abnormal_flag) == ("0.6", "1.2", "H")
    assert (fact.status, fact.provenance) == (pb.FACT_STATUS_FINAL, pb.PROVENANCE_STRUCTURED)
    source = fact.source
    assert (source.control_id, source.segment, source.field) == ("M1", "OBX[1]", "OBX-5.1")


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("14682-9^Creatinine^LN", "106", "umol/L", ("2160-0", "1.20", "mg/dL")),
        ("KREA^Kreatinin^L", "106", "µmol/l", ("2160-0", "1.20", "mg/dL")),
        ("CREA^Creatinine serum^LOCAL", "88.42", "umol/l", ("2160-0", "1.000", "mg/dL")),
        ("GLU^Glucose^L", "5.5", "mmol/L", ("2345-7", "99", "mg/dL")),
        ("UREA^Urea^L", "10.0", "mmol/L", ("3094-0", "28.0", "mg/dL")),
        ("UREA^Urea^L", "60.1", "mg/dL", ("3094-0", "28.0", "mg/dL")),
        ("BUN^Urea nitrogen^L", "28", "mg/dL", ("3094-0", "28", "mg/dL")),
        ("HBA1C^HbA1c^L", "53", "mmol/mol", ("4548-4", "7.0", "%")),
        ("HB^Haemoglobin^L", "134", "g/L", ("718-7", "13.4", "g/dL")),
        ("ACR^Albumin/creatinine^L", "30", "mg/mmol", ("9318-7", "265", "mg/g")),
        ("K^Kalium^L", "5.1", "mEq/L", ("2823-3", "5.1", "mmol/L")),
        ("98979-8^eGFR^LN", "28", "mL/min/1.73m2", ("33914-3", "28", "mL/min/{1.73_m2}")),
        ("WT^Weight^L", "165", "lbs", ("29463-7", "74.8", "kg")),
        ("TEMP^Temperature^L", "98.6", "F", ("8310-5", "37.0", "Cel")),
        ("8480-6^Systolic^LN", "142", "mmHg", ("8480-6", "142", "mm[Hg]")),
    ],
)
def test_codes_and_units_become_those_of_the_record(
    code: str, value: str, unit: str, expected: tuple[str, str, str]
) -> None:
    fact = one("ORU^R01", OBR, obx(value, code=code, unit=unit))
    assert (fact.code.code, fact.quantity.value, fact.quantity.unit) == expected
    if unit != expected[2]:
        assert (fact.source_quantity.value, fact.source_quantity.unit) == (value, unit)


def test_bounds_of_a_reference_range_follow_the_unit() -> None:
    fact = one("ORU^R01", OBR, "OBX|1|NM|KREA^Kreatinin^L||106|umol/L|62 - 106|N|||F")
    assert (fact.reference_range.low, fact.reference_range.high) == ("0.70", "1.20")
    assert fact.reference_range.text == "62 - 106"


@pytest.mark.parametrize(
    ("code", "value", "unit"),
    [
        ("KREA^Kreatinin im Urin^L", "9000", "umol/L"),
        ("CREA^Creatinine, urine^L", "90", "mg/dL"),
        ("K^Potassium^L", "5.1", ""),
        ("K^Factor K^L", "5.1", "g/L"),
        ("WT^Birth weight^L", "3.4", "kg"),
        ("HR^Fetal heart rate^L", "150", "/min"),
        ("XYZ^Unknown^L", "5.1", "mmol/L"),
    ],
)
def test_a_local_code_is_never_mapped_on_a_guess(code: str, value: str, unit: str) -> None:
    fact = one("ORU^R01", OBR, obx(value, code=code, unit=unit))
    assert fact.code.system == "urn:longitude:local:NORTH:L"
    assert (fact.code.code, fact.quantity.value) == (code.partition("^")[0], value)


@pytest.mark.parametrize(
    "segments",
    [
        ("OBR|1|PL7|FI9|UA^Urinalysis^L|||20240229",),
        ("OBR|1|PL7|FI9|CHEM^Chemistry^L|||20240229||||||||UR&Urine",),
        (OBR, "SPM|1|||CSF^^HL70487"),
    ],
)
def test_a_local_code_is_not_mapped_where_the_order_names_another_specimen(segments: tuple[str, ...]) -> None:
    fact = one("OUL^R22", *segments, obx("50", code="GLU^Glucose^L"))
    assert (fact.code.code, fact.code.system) == ("GLU", "urn:longitude:local:NORTH:L")


def test_a_code_without_a_method_does_not_get_one() -> None:
    fact = one("ORU^R01", OBR, obx("105600", code="26464-8^WBC^LN", unit="/uL"))
    assert (fact.code.code, fact.code.display) == ("26464-8", "Leukocytes [#/volume] in Blood")
    assert quantity(fact) == ("", "105.6", "10*3/uL")


@pytest.mark.parametrize(("value", "expected"), [("850", "0.85"), ("1250", "1.25"), ("3400", "3.4")])
def test_a_conversion_keeps_the_digits_that_were_sent(value: str, expected: str) -> None:
    assert quantity(one("ORU^R01", OBR, obx(value, code="29463-7^Weight^LN", unit="g"))) == ("", expected, "kg")


@pytest.mark.parametrize("unit", ["10^3/uL", "x10^3/uL", "x10^9/L"])
def test_a_unit_with_an_unescaped_caret_is_read_whole(unit: str) -> None:
    fact = one("ORU^R01", OBR, obx("5.4", code="6690-2^Leukocytes^LN", unit=unit))
    assert quantity(fact) == ("", "5.4", "10*3/uL")


@settings(deadline=None)
@given(st.decimals(min_value=0, max_value=10**6, places=3))
def test_a_number_in_the_unit_of_the_record_keeps_every_digit(number: object) -> None:
    assert quantity(one("ORU^R01", OBR, obx(str(number)))) == ("", str(number), "mg/dL")


def test_a_number_of_a_known_code_without_its_unit_is_remarked() -> None:
    assert "OBX[1] OBX-6: no unit" in said(reading("ORU^R01", PID, OBR, obx("1.4", unit="")))
    assert not said(reading("ORU^R01", PID, OBR, obx("7", code="1^X^L", unit="")))


def test_a_loinc_code_in_a_unit_that_cannot_be_converted_stays_as_sent() -> None:
    fact = one("ORU^R01", OBR, obx("5", code="14682-9^Creatinine^LN", unit="furlong"))
    assert (fact.code.code, fact.quantity.unit) == ("14682-9", "furlong")


@pytest.mark.parametrize(
    ("kind", "value", "unit", "expected"),
    [
        ("SN", "<^10", "mg/dL", ("<", "10", "mg/dL")),
        ("SN", "^1.1", "mg/dL", ("", "1.1", "mg/dL")),
        ("ST", "<0.3", "mg/dL", ("<", "0.3", "mg/dL")),
        ("NM", ">= 15", "mg/dL", (">=", "15", "mg/dL")),
        ("TX", "1.5", "mg/dL", ("", "1.5", "mg/dL")),
        ("CE", "1.5", "mg/dL", ("", "1.5", "mg/dL")),
        ("NM", ".5", "mg/dL", ("", "0.5", "mg/dL")),
    ],
)
def test_numbers_are_numbers_in_whatever_type_they_come(
    kind: str, value: str, unit: str, expected: tuple[str, str, str]
) -> None:
    assert quantity(one("ORU^R01", OBR, obx(value, kind=kind, unit=unit))) == expected


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("NM", "haemolysed", "haemolysed"),
        ("NM", "1,5", "1,5"),
        ("SN", "^1^:^128", "1:128"),
        ("ST", "a^b & c", "a^b & c"),
        ("DT", "20150624", "2015-06-24"),
        ("TS", "20150624101500-0500", "2015-06-24"),
    ],
)
def test_what_is_no_number_is_kept_as_text(kind: str, value: str, text: str) -> None:
    assert one("ORU^R01", OBR, obx(value, kind=kind, code="1^X^L", unit="")).text == text


def test_a_range_keeps_its_unit() -> None:
    assert one("ORU^R01", OBR, obx("^3^-^5", kind="SN", code="1^X^L", unit="mg/dL")).text == "3-5 mg/dL"


def test_a_coded_value_keeps_its_code() -> None:
    fact = one("ORU^R01", OBR, obx("27268008^Salmonella^SCT", kind="CWE", code="625-4^Culture^LN", unit=""))
    assert (fact.coded.system, fact.coded.code, fact.coded.display) == (SNOMED, "27268008", "Salmonella")


def test_lines_of_a_text_are_one_result() -> None:
    lines = [f"OBX|{n}|TX|18748-4^Imaging^LN||line {n}||||||F" for n in (1, 2, 3)]
    assert one("ORU^R01", OBR, *lines).text == "line 1\nline 2\nline 3"


@pytest.mark.parametrize(
    "code", ["BP^Blood pressure^L", "RR^RR^L", "85354-9^Blood pressure^LN", "8716-3^Vital signs^LN", "^Blood pressure"]
)
def test_a_blood_pressure_in_one_value_becomes_its_two_parts(code: str) -> None:
    both = facts("ORU^R01", OBR, obx("142/88", kind="ST", code=code, unit="mmHg"))
    assert [(f.code.code, f.quantity.value) for f in both] == [("8480-6", "142"), ("8462-4", "88")]


@pytest.mark.parametrize(("code", "unit"), [("IOP^Pressure^L", "mmHg"), ("BP^Blood pressure^L", "cm")])
def test_another_pressure_or_unit_stays_as_it_was_written(code: str, unit: str) -> None:
    assert one("ORU^R01", OBR, obx("15/16", kind="ST", code=code, unit=unit)).text == "15/16"


def test_a_blood_pressure_in_kilopascals_is_no_tenth_of_it() -> None:
    both = facts("ORU^R01", OBR, obx("16/11", kind="ST", code="BP^Blood pressure^L", unit="kPa"))
    assert [quantity(f) for f in both] == [("", "120", "mm[Hg]"), ("", "83", "mm[Hg]")]


def test_a_coded_value_has_words_even_where_none_were_sent() -> None:
    assert one("ORU^R01", OBR, obx("260385009^^SCT", kind="CWE", unit="")).coded.display == "Negative"


@pytest.mark.parametrize(
    ("status", "expected"),
    [("F", "FINAL"), ("P", "PRELIMINARY"), ("C", "CORRECTED"), ("W", "ENTERED_IN_ERROR"), ("D", "ENTERED_IN_ERROR"),
     ("X", "ENTERED_IN_ERROR"), ("", "FINAL")],
)  # fmt: skip
def test_the_status_of_a_result_is_kept(status: str, expected: str) -> None:
    assert one("ORU^R01", OBR, obx("1.4", status=status)).status == pb.FactStatus.Value(f"FACT_STATUS_{expected}")


def test_a_correction_has_the_identity_of_what_it_corrects_and_not_its_id() -> None:
    first, corrected = (one("ORU^R01", OBR, obx(value, status=s)) for value, s in (("1.4", "F"), ("1.6", "C")))
    other_time = one("ORU^R01", OBR.replace("20240229", "20240301"), obx("1.4").replace("|20240229083000+0100", "|"))
    assert first.identity == corrected.identity
    assert first.fact_id != corrected.fact_id
    assert other_time.identity == first.identity


def test_a_result_that_could_not_be_obtained_has_no_value() -> None:
    fact = one("ORU^R01", OBR, obx("", status="X"))
    assert fact.WhichOneof("value") is None


def test_repeated_values_are_results_of_their_own() -> None:
    both = facts("ORU^R01", OBR, obx("60~62", code="8867-4^Heart rate^LN", unit="beats/min"))
    assert [quantity(f) for f in both] == [("", "60", "/min"), ("", "62", "/min")]
    assert len({str(f.identity) for f in both}) == 2


# --- problems


def test_a_diagnosis_prefers_snomed_and_keeps_what_was_sent() -> None:
    fact = one("ADT^A08", "DG1|1||N18.3^CKD 3^I10C^431857002^Chronic kidney disease stage 4^SCT||20230105|F")
    assert (fact.code.system, fact.code.code) == (SNOMED, "431857002")
    assert (fact.source_code.system, fact.source_code.code) == ("http://hl7.org/fhir/sid/icd-10-cm", "N18.3")
    assert (fact.kind, fact.valid_from.ToJsonString()) == (pb.FACT_KIND_PROBLEM, "2023-01-05T00:00:00Z")
    assert (fact.source.segment, fact.source.field) == ("DG1[1]", "DG1-3")


@pytest.mark.parametrize(
    "code", ["Z83.3^Family history of diabetes mellitus^I10C", "V17.49^FH cardiovascular^I9C", "^Family history: gout^"]
)
def test_family_history_is_never_the_patients_problem(code: str) -> None:
    assert not facts("ADT^A08", f"DG1|1||{code}", kind="PROBLEM")
    assert one("ADT^A08", f"DG1|1||{code}").code.code == "10157-6"


@pytest.mark.parametrize(
    ("code", "is_family"),
    [("Z803^Malignant neoplasm of breast^I10C", True), ("V18.4^Pedal cyclist injured^I10", False),
     ("V18.4^Polyps^I9C", True), ("Z80^Family hx^I10G", True), ("^Mother had gout^", True)],
)  # fmt: skip
def test_codes_of_family_history_count_in_their_own_system(code: str, is_family: bool) -> None:  # noqa: FBT001
    kind = one("ADT^A08", f"DG1|1||{code}").kind
    assert kind == (pb.FACT_KIND_RESULT if is_family else pb.FACT_KIND_PROBLEM)


@pytest.mark.parametrize("segment", ["PRB|AD|20240101|NKP^No known problems^L|P1", "DG1|1|||None", "DG1|1||^NONE"])
def test_no_problems_is_an_absence(segment: str) -> None:
    fact = one("PPR^PC1", segment)
    assert (fact.code.code, fact.assertion) == ("160245001", pb.ASSERTION_ABSENT)


def test_problems_that_are_not_known_are_no_fact_and_remarked() -> None:
    found = reading("ADT^A08", PID, "DG1|1|||Unknown")
    assert {f.kind for f in found.content.facts} == {pb.FACT_KIND_DEMOGRAPHIC}
    assert any("DG1-4" in warning for warning in said(found))


@pytest.mark.parametrize(
    ("diagnosis", "display", "assertion", "status"),
    [
        ("||No evidence of deep vein thrombosis", "deep vein thrombosis", "ABSENT", "ACTIVE"),
        ("|J18.9^Ausschluss Pneumonie^I10G|", "Pneumonie", "ABSENT", "ACTIVE"),
        ("||Rule out myocardial infarction", "Rule out myocardial infarction", "PRESENT", "PRELIMINARY"),
        ("|I21.9^Suspected infarction^I10C|", "Suspected infarction", "PRESENT", "PRELIMINARY"),
        ("|E11.9^Diabetes without complications^I10C|", "Diabetes without complications", "PRESENT", "UNSPECIFIED"),
        ("|Z72.823^Risk of suffocation^I10C|", "Risk of suffocation", "PRESENT", "UNSPECIFIED"),
        ("||Absence of iris", "Absence of iris", "PRESENT", "UNSPECIFIED"),
        ("|60001007^Not pregnant^SCT|", "Not pregnant", "PRESENT", "UNSPECIFIED"),
    ],
)
def test_a_denied_or_doubted_diagnosis_is_no_problem(diagnosis: str, display: str, assertion: str, status: str) -> None:
    fact = one("ADT^A08", f"DG1|1|{diagnosis}")
    assert (fact.code.display, fact.assertion) == (display, pb.Assertion.Value(f"ASSERTION_{assertion}"))
    assert fact.status == pb.FactStatus.Value(f"FACT_STATUS_{status}")


def test_a_code_has_words_even_where_none_were_sent() -> None:
    fact = one("ADT^A08", "DG1|1||E11.9^^I10C")
    assert fact.code.display == "Type 2 diabetes mellitus without complications"
    assert fact.source_code.display == ""


def test_a_problem_list_entry_follows_its_instance() -> None:
    added, ended = (
        one("PPR^PC1", f"PRB|{action}|20240101|E11.9^Diabetes^I10C|INST7|||20100301||{end}|||||{state}|||20100301")
        for action, end, state in (("AD", "", "ACTIVE"), ("UP", "20240201", "Resolved"))
    )
    deleted = one("PPR^PC3", "PRB|DE|20240101|E11.9^Diabetes^I10C|INST7")
    assert added.identity == ended.identity == deleted.identity
    assert added.status == pb.FACT_STATUS_ACTIVE
    assert (ended.status, ended.valid_to.ToJsonString()) == (pb.FACT_STATUS_ENDED, "2024-02-01T00:00:00Z")
    assert deleted.status == pb.FACT_STATUS_ENTERED_IN_ERROR


# --- allergies


@pytest.mark.parametrize(
    ("allergen", "system", "code"),
    [
        ("^PENICILLIN", SNOMED, "764146007"),
        ("PEN^Penicillins^L", SNOMED, "764146007"),
        ("91936005^Allergy to penicillin^SCT", SNOMED, "764146007"),
        ("70618^Penicillin^RXNORM", SNOMED, "764146007"),
        ("^Amoxicillin 500 mg", RXNORM, "723"),
        ("^Penicillin G", RXNORM, "7980"),
        ("12345^Horseradish^L", "urn:longitude:local:NORTH:L", "12345"),
        ("^SULFA", SNOMED, "387406002"),
        ("^Statins", "urn:longitude:allergen", "statin"),
        ("^Hydrocodone", "urn:longitude:ingredient", "longitude:hydrocodone"),
        ("^No penicillin", SNOMED, "764146007"),
    ],
)
def test_allergens_become_substances_where_they_are_known(allergen: str, system: str, code: str) -> None:
    fact = one("ADT^A08", f"AL1|1|DA|{allergen}|SV|rash~swelling|20200301")
    assert (fact.code.system, fact.code.code) == (system, code)
    assert (fact.assertion, fact.note) == (pb.ASSERTION_PRESENT, "rash; swelling")


@pytest.mark.parametrize(
    "allergen",
    ["NKA^No Known Allergies^L", "^No known allergies", "716186003^No known allergy^SCT", "^NONE", "NKA",
     "^Keine bekannten Allergien"],
)  # fmt: skip
def test_no_known_allergies_is_an_absence(allergen: str) -> None:
    fact = one("ADT^A08", f"AL1|1|MA|{allergen}")
    assert (fact.code.code, fact.assertion) == ("716186003", pb.ASSERTION_ABSENT)


@pytest.mark.parametrize(
    "allergen", ["^Bactrim", "10831^Bactrim^RXNORM", "10180^Sulfamethoxazole / Trimethoprim^RXNORM"]
)
def test_an_allergy_to_a_combination_is_one_to_each_of_its_ingredients(allergen: str) -> None:
    both = facts("ADT^A08", f"AL1|1|DA|{allergen}")
    assert {f.code.display for f in both} == {"sulfamethoxazole", "trimethoprim"}
    assert len({str(f.identity) for f in both}) == len({f.fact_id for f in both}) == 2


@pytest.mark.parametrize(
    ("allergen", "display"),
    [("^No allergy to penicillin", "penicillin"), ("^Not allergic to latex", "Latex"),
     ("^Denies peanut allergy", "Peanut"), ("^No allergy to horseradish", "horseradish")],
)  # fmt: skip
def test_an_allergy_that_is_denied_is_absent(allergen: str, display: str) -> None:
    fact = one("ADT^A08", f"AL1|1|DA|{allergen}")
    assert (fact.code.display, fact.assertion) == (display, pb.ASSERTION_ABSENT)


@pytest.mark.parametrize(("kind", "code"), [("DA", "409137002"), ("FA", "429625007"), ("EA", "428607008")])
def test_none_denies_only_the_kind_of_allergy_that_it_stands_for(kind: str, code: str) -> None:
    assert one("ADT^A08", f"AL1|1|{kind}|^NONE").code.code == code


@pytest.mark.parametrize("segment", ["AL1|1|DA|^Unknown", "AL1|1|PA|^None", "AL1|1||UNK"])
def test_what_is_not_known_about_allergies_is_no_fact_and_remarked(segment: str) -> None:
    found = reading("ADT^A08", PID, segment)
    assert {f.kind for f in found.content.facts} == {pb.FACT_KIND_DEMOGRAPHIC}
    assert any("AL1-3" in warning for warning in said(found))


def test_no_known_drug_allergies_claims_no_more_than_that() -> None:
    fact = one("ADT^A08", "AL1|1|DA|NKDA^No known drug allergies^L")
    assert (fact.code.code, fact.assertion) == ("409137002", pb.ASSERTION_ABSENT)


def test_a_deleted_allergy_is_taken_back() -> None:
    added, deleted = (one("ADT^A60", f"IAM|1|DA|^Latex||hives|{action}") for action in ("A", "D"))
    assert added.identity == deleted.identity
    assert deleted.status == pb.FACT_STATUS_ENTERED_IN_ERROR


# --- medications


def order(control: str, *, state: str = "", number: str = "RX1", when: str = "20240115") -> str:
    return f"ORC|{control}|{number}|||{state}||||{when}"


RXE = "RXE||{drug}|1000||mg|TAB|^Take with food"
METFORMIN = "860975^metformin hydrochloride 500 MG Oral Tablet^RXNORM"


def test_an_order_says_drug_dose_route_and_frequency() -> None:
    fact = one("RDE^O11", order("NW"), RXE.format(drug=METFORMIN), "TQ1|1||BID||||20240116|20250116", "RXR|PO^Oral")
    assert (fact.code.system, fact.code.code, fact.code.display) == (RXNORM, "6809", "metformin")
    assert fact.source_code.code == "860975"
    assert (fact.dosage.dose.value, fact.dosage.dose.unit) == ("1000", "mg")
    assert (fact.dosage.route, fact.dosage.frequency, fact.dosage.instruction) == ("Oral", "BID", "Take with food")
    assert fact.valid_from.ToJsonString()[:10] == "2024-01-16"
    assert fact.valid_to.ToJsonString()[:10] == "2025-01-16"
    assert (fact.status, fact.source.field) == (pb.FACT_STATUS_ACTIVE, "RXE-2")


@pytest.mark.parametrize(
    ("drug", "rxcui"),
    [
        ("^Glucophage XR 750", "6809"),
        ("0093-1048-01^MET HCL^NDC", "6809"),
        ("00093104801^MET HCL^NDC", "6809"),
        ("5640^ibuprofen^RXNORM", "5640"),
        ("IBU400^Ibuprofen 400 mg tbl^LOCAL", "5640"),
        ("L01^LISINOPRIL 10MG^L", "29046"),
    ],
)
def test_drugs_are_known_by_code_or_name(drug: str, rxcui: str) -> None:
    assert one("RDE^O11", order("NW"), RXE.format(drug=drug)).code.code == rxcui


def test_a_combination_is_a_statement_for_each_ingredient() -> None:
    both = facts("RDE^O11", order("NW"), RXE.format(drug="^Amoxicillin/clavulanate 875/125"))
    assert [f.code.display for f in both] == ["amoxicillin", "clavulanate"]
    assert len({str(f.identity) for f in both}) == 2


@pytest.mark.parametrize(
    ("drug", "names"),
    [
        ("HYAP^HYDROCODONE-ACETAMINOPHEN 5-325 MG TAB^L", {"hydrocodone", "acetaminophen"}),
        ("L2^SACUBITRIL-VALSARTAN 24-26 MG TAB^L", {"sacubitril", "valsartan"}),
        ("723^Amoxicillin / Clavulanate^RXNORM", {"amoxicillin", "clavulanate"}),
        ("^DIGOXIN IMMUNE FAB 40 MG VIAL", {"digoxin immune fab"}),
    ],
)
def test_no_ingredient_is_lost_and_none_made_of_an_antidote(drug: str, names: set[str]) -> None:
    assert {f.code.display for f in facts("RDE^O11", order("NW"), RXE.format(drug=drug))} == names


def test_an_ingredient_without_an_rxnorm_code_is_one_of_longitude() -> None:
    fact = one("RDE^O11", order("NW"), RXE.format(drug="^Hydrocodone 5 mg"))
    assert (fact.code.system, fact.code.code) == ("urn:longitude:ingredient", "longitude:hydrocodone")


def test_an_unknown_drug_stays_as_sent() -> None:
    fact = one("RDE^O11", order("NW"), RXE.format(drug="99^Unobtainium^L"))
    assert (fact.code.code, fact.code.system) == ("99", "urn:longitude:local:NORTH:L")


@pytest.mark.parametrize(
    ("control", "state", "status"),
    [("NW", "", "ACTIVE"), ("XO", "", "UNSPECIFIED"), ("DC", "", "ENDED"), ("CA", "", "ENDED"), ("HD", "", "ENDED"),
     ("RE", "CM", "ENDED"), ("DE", "", "ENTERED_IN_ERROR")],
)  # fmt: skip
def test_order_controls_move_one_statement_through_its_life(control: str, state: str, status: str) -> None:
    fact = one("RDE^O11", order(control, state=state, when="20240301"), RXE.format(drug=METFORMIN))
    assert fact.identity.groups == ["placer:RX1"]
    assert fact.status == pb.FactStatus.Value(f"FACT_STATUS_{status}")
    if status == "ENDED":
        assert fact.valid_to.ToJsonString()[:10] == "2024-03-01"
        assert not fact.HasField("valid_from")


def test_a_replaced_order_ends_and_its_replacement_begins() -> None:
    old, new = facts(
        "RDE^O11", order("RP"), RXE.format(drug=METFORMIN), order("RO", number="RX2"), RXE.format(drug=METFORMIN)
    )
    assert (list(old.identity.groups), old.status) == (["placer:RX1"], pb.FACT_STATUS_ENDED)
    assert (list(new.identity.groups), new.status) == (["placer:RX2"], pb.FACT_STATUS_ACTIVE)


def test_an_order_without_encoding_is_only_ordered() -> None:
    fact = one("ORM^O01", order("NW"), "RXO|^Ibuprofen 400 mg|400||mg")
    assert (fact.code.code, fact.status) == ("5640", pb.FACT_STATUS_ORDERED)


def test_an_encoded_order_is_one_statement_beside_its_request() -> None:
    assert len(facts("RDE^O11", order("NW"), "RXO|^Metformin|500||mg", "RXR|PO", RXE.format(drug=METFORMIN))) == 1


# --- immunizations, encounters, procedures, demographics


def test_vaccinations_are_given_or_refused() -> None:
    given, refused = facts(
        "VXU^V04", "ORC|RE||1", "RXA|0|1|20230901||88^influenza^CVX|0.5|mL|||||||||||||CP|A",
        "ORC|RE||2", "RXA|0|1|20230901||33^pneumo^CVX|999||||||||||||00^refusal^NIP002||RE|A",
    )  # fmt: skip
    assert (given.kind, given.code.code, given.assertion) == (pb.FACT_KIND_IMMUNIZATION, "88", pb.ASSERTION_PRESENT)
    assert refused.assertion == pb.ASSERTION_ABSENT
    assert not refused.dosage.HasField("dose")


@pytest.mark.parametrize("vaccine", ["113^Td^CVX", "49281-0215-88^TENIVAC^NDC", "49281021588^TENIVAC^NDC"])
def test_a_vaccine_is_one_of_cvx_however_it_was_coded(vaccine: str) -> None:
    fact = one("VXU^V04", "ORC|RE||1", f"RXA|0|1|20230901||{vaccine}|0.5|mL")
    assert (fact.code.system, fact.code.code) == ("http://hl7.org/fhir/sid/cvx", "113")
    assert fact.source_code.code == vaccine.partition("^")[0]


def pv1(patient_class: str = "I", admitted: str = "20240301080000", discharged: str = "") -> str:
    return f"PV1|1|{patient_class}" + "|" * 17 + "V77" + "|" * 25 + f"{admitted}|{discharged}"


@pytest.mark.parametrize(
    ("trigger", "status"),
    [("A01", "ACTIVE"), ("A04", "ACTIVE"), ("A08", "UNSPECIFIED"), ("A05", "ORDERED"), ("A03", "ENDED"),
     ("A11", "ENTERED_IN_ERROR"), ("A13", "ACTIVE")],
)  # fmt: skip
def test_a_visit_moves_through_its_life_in_one_slot(trigger: str, status: str) -> None:
    fact = one(f"ADT^{trigger}", f"EVN|{trigger}|20240305100000", pv1())
    assert (list(fact.identity.groups), fact.encounter_id) == (["visit:V77"], "V77")
    assert fact.status == pb.FactStatus.Value(f"FACT_STATUS_{status}")
    assert fact.code.code == "IMP"
    assert fact.HasField("valid_to") == (trigger == "A03")


def test_facts_of_a_visit_carry_its_number() -> None:
    assert one("ORU^R01", pv1(), OBR, obx("1.4"), kind="RESULT").encounter_id == "V77"


def test_messages_about_no_visit_have_no_encounter() -> None:
    assert not facts("ADT^A40", "MRG|P0^^^NORTH^MR", pv1())
    assert not facts("ADT^A08", "PV1|1|N")
    assert not facts("ADT^A08", "PV1|1|O"), "an update that names no visit"
    assert one("ADT^A04", "EVN|A04|20240301", "PV1|1|O").kind == pb.FACT_KIND_ENCOUNTER


def test_procedures_are_done_or_ordered() -> None:
    done = one("ADT^A08", "PR1|1||80146002^Appendectomy^SCT|Appendectomy|20190101")
    ordered = one("ORM^O01", "ORC|NW|O1", "OBR|1|O1||24725-4^CT Head^LN")
    cancelled = one("ORM^O01", "ORC|CA|O1", "OBR|1|O1||24725-4^CT Head^LN")
    assert (done.status, done.code.code) == (pb.FACT_STATUS_FINAL, "80146002")
    assert (ordered.status, cancelled.status) == (pb.FACT_STATUS_ORDERED, pb.FACT_STATUS_ENDED)
    assert ordered.identity == cancelled.identity


def test_birth_date_and_sex_are_facts_from_birth_on() -> None:
    birth, sex = facts("ADT^A08", kind="DEMOGRAPHIC")
    assert (birth.code.code, birth.text) == ("21112-8", "1960-01-02")
    assert (sex.code.code, sex.coded.code) == ("46098-0", "female")
    assert birth.valid_from == sex.valid_from


# --- documents


TXA = "TXA|1|DS|TX|20240301||||||||DOC9|||||AU"


def test_a_note_becomes_a_document_with_its_text() -> None:
    content = reading(
        "MDM^T02", PID, pv1(), TXA, "OBX|1|TX|18842-5^Summary^LN||Seen.", "OBX|2|TX|18842-5^Summary^LN||Well."
    ).content
    (document,) = content.documents
    (fact,) = [f for f in content.facts if f.kind == pb.FACT_KIND_DOCUMENT]
    assert document.content == b"Seen.\nWell."
    assert document.media_type.startswith("text/plain")
    assert (fact.code.code, fact.identity.groups[0]) == ("18842-5", "document:DOC9")
    assert (fact.source.document_id, fact.source.segment) == (document.document_id, "OBX[1]")


@pytest.mark.parametrize(
    ("kind", "system", "code"),
    [("DS", LOINC, "18842-5"), ("11506-3^^LN", LOINC, "11506-3"),
     ("ED^Education^L", "urn:longitude:local:NORTH:L", "ED"),
     ("CD", "http://terminology.hl7.org/CodeSystem/v2-0270", "CD")],
)  # fmt: skip
def test_a_type_of_document_is_mapped_where_its_own_table_says_so(kind: str, system: str, code: str) -> None:
    fact = one("MDM^T02", f"TXA|1|{kind}|TX|20240301", kind="DOCUMENT")
    assert (fact.code.system, fact.code.code) == (system, code)


def ed(data: str, encoding: str = "Base64", subtype: str = "PDF") -> str:
    return f"OBX|1|ED|11502-2^Report^LN||^application^{subtype}^{encoding}^{data}||||||F"


PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 20 + b"IEND\xaeB`\x82"


def test_an_encapsulated_file_is_taken_out_whole() -> None:
    (document,) = reading("ORU^R01", PID, OBR, ed(base64.b64encode(PNG).decode())).content.documents
    assert (document.content, document.media_type) == (PNG, "image/png")


@pytest.mark.parametrize(
    "data",
    [
        base64.b64encode(PNG).decode()[:-7],
        base64.b64encode(PNG).decode()[:-20],
        base64.b64encode(PNG[:-8]).decode(),
        "not base64!",
    ],
)
def test_truncated_or_invalid_data_is_refused_at_its_place(data: str) -> None:
    with pytest.raises(RefusedError) as refused:
        reading("ORU^R01", PID, OBR, ed(data))
    assert (refused.value.verdict, refused.value.condition) == ("E", "102")
    assert str(refused.value.location) == "OBX^1^5^1^5"


def test_base64_with_line_breaks_is_read() -> None:
    data = base64.encodebytes(PNG).decode().replace("\n", "\\.br\\")
    (document,) = reading("ORU^R01", PID, OBR, ed(data)).content.documents
    assert document.content == PNG


def test_base64_without_its_filling_is_whole() -> None:
    data = base64.b64encode(b"No acute findings.").decode().rstrip("=")
    (document,) = reading("ORU^R01", PID, OBR, ed(data, subtype="PLAIN")).content.documents
    assert document.content == b"No acute findings."


@pytest.mark.parametrize(
    ("content", "subtype", "media_type"),
    [
        (b"{\\rtf1 x}", "octet-stream", "application/rtf"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><ClinicalDocument/>", "", "application/xml"),
        (b"<n:ClinicalDocument xmlns:n='urn:hl7-org:v3'/>", "x-hl7-cda-level-one", "application/xml"),
        (b"<HTML><p>x</HTML>", "", "text/html"),
        (b"plain words", "PDF", "text/plain; charset=utf-8"),
    ],
)
def test_the_kind_of_a_file_is_what_it_begins_with(content: bytes, subtype: str, media_type: str) -> None:
    data = base64.b64encode(content).decode()
    (document,) = reading("ORU^R01", PID, OBR, ed(data, subtype=subtype)).content.documents
    assert document.media_type == media_type


def test_the_source_of_a_formatted_file_in_a_text_is_told_as_one() -> None:
    (document,) = reading("MDM^T02", PID, TXA, "OBX|1|TX|||{\\E\\rtf1 Seen.}").content.documents
    assert document.media_type == "application/rtf"


@pytest.mark.parametrize(
    ("header", "remark"),
    [
        ("TXA|1|DS|TX|20240301||||||||D1|||||AU|V", "TXA[1] TXA-18: the document is restricted"),
        ("TXA|1|DS|TX|20240301|||||||||||||AU", "TXA[1] TXA-12: no document number"),
        ("TXA|1|DS|TX|20240301||||||||D1|||||AU||UN", "TXA[1] TXA-19: not yet available"),
    ],
)
def test_what_a_document_header_says_beyond_the_record_is_remarked(header: str, remark: str) -> None:
    assert any(line.startswith(remark) for line in said(reading("MDM^T02", PID, header, "OBX|1|TX|||Seen.")))


def test_a_document_without_a_stated_time_is_received_without_one() -> None:
    taken = reading("MDM^T02", PID, "TXA|1|DS|TX|||||||||D1", "OBX|1|TX|||Seen.")
    (event,) = document_events(taken, [ObjectRef()], ARRIVED)
    assert not event.HasField("authored_at")


def test_empty_encapsulated_data_is_remarked_and_no_document() -> None:
    found = reading("ORU^R01", PID, OBR, ed(""))
    assert not found.content.documents
    assert "OBX[1] OBX-5: encapsulated data is empty" in said(found)


def test_a_text_too_long_for_a_fact_is_a_document() -> None:
    content = reading("ORU^R01", PID, OBR, f"OBX|1|FT|11502-2^Report^LN||{'word ' * 2000}").content
    assert [len(d.content) for d in content.documents] == [len("word " * 2000) - 1]
    assert [f.kind for f in content.facts if f.kind != pb.FACT_KIND_DEMOGRAPHIC] == [pb.FACT_KIND_DOCUMENT]


# --- identity, times, ids


def test_the_medical_record_number_is_the_key_and_the_others_are_kept() -> None:
    patient = reading("ADT^A08", "PID|1||9^^^SSA^SS~7^^^NORTH^MR~8^^^&1.2.3&ISO^PI").content.patient
    assert patient is not None
    assert (patient.key.id, patient.key.authority) == ("7", "NORTH")
    assert {(k.id, k.authority) for k in patient.other_identifiers} == {("9", "SSA"), ("8", "1.2.3")}


@pytest.mark.parametrize(
    ("pid", "facility", "authority"),
    [("PID|1||7", "WEST", "WEST"), ("PID|1|7", "WEST", "WEST"), ("PID|1||7", "", "APP"),
     ("PID|1||7^^^^MR", "A^1.2^ISO", "A")],
)  # fmt: skip
def test_an_identifier_without_authority_belongs_to_its_sender(pid: str, facility: str, authority: str) -> None:
    patient = reading("ADT^A08", pid, facility=facility).content.patient
    assert patient is not None
    assert (patient.key.id, patient.key.authority) == ("7", authority)


@pytest.mark.parametrize(("trigger", "removed"), [("A24", False), ("A37", True)])
def test_two_patients_are_linked_by_a24_and_two_again_by_a37(trigger: str, removed: bool) -> None:  # noqa: FBT001
    (link,) = reading(f"ADT^{trigger}", "PID|1||1^^^A^MR", "PID|2||2^^^B^MR").content.links
    assert (link.surviving.id, link.merged.id, link.removed) == ("1", "2", removed)


def test_an_unlink_of_one_patient_is_refused() -> None:
    with pytest.raises(RefusedError, match="two PID"):
        reading("ADT^A37", "PID|1||1^^^A^MR")


@pytest.mark.parametrize("trigger", ["A18", "A30", "A34", "A36", "A39", "A40", "A47"])
def test_a_merge_links_the_surviving_and_the_merged_identifier(trigger: str) -> None:
    content = reading(f"ADT^{trigger}", PID, "MRG|P0^^^SOUTH^MR").content
    (link,) = content.links
    assert (link.surviving.id, link.surviving.authority) == ("P1", "NORTH")
    assert (link.merged.id, link.merged.authority) == ("P0", "SOUTH")


def test_a_merge_takes_the_surviving_identifier_of_the_same_authority() -> None:
    (link,) = reading("ADT^A40", "PID|1||1^^^A^MR~7^^^B~2^^^B", "MRG|7^^^B").content.links
    assert (link.surviving.id, link.surviving.authority) == ("2", "B")


def test_several_merges_in_one_message_are_all_links() -> None:
    content = reading("ADT^A40", "PID|1||1^^^A", "MRG|2^^^A", "PID|2||3^^^A", "MRG|4^^^A").content
    assert [(link.surviving.id, link.merged.id) for link in content.links] == [("1", "2"), ("3", "4")]


def test_a_merge_with_itself_is_remarked_and_no_link() -> None:
    found = reading("ADT^A40", PID, "MRG|P1^^^NORTH^MR")
    assert not found.content.links
    assert any("MRG-1" in warning for warning in said(found))


@pytest.mark.parametrize(("mrg", "condition"), [("", "100"), ("MRG||x", "101")])
def test_a_merge_that_names_nothing_to_merge_is_refused(mrg: str, condition: str) -> None:
    with pytest.raises(RefusedError) as refused:
        reading("ADT^A40", PID, *filter(None, [mrg]))
    assert refused.value.condition == condition


def test_a_message_about_nobody_is_taken_without_facts_where_its_type_allows() -> None:
    found = reading("SIU^S12", "SCH|1|2")
    assert found.content.patient is None
    assert not found.content.facts
    with pytest.raises(RefusedError):
        reading("ADT^A01", "PV1|1|I")
    with pytest.raises(RefusedError):
        reading("ORU^R01", "PID|1||", OBR, obx("1"))


def test_facts_of_a_second_person_are_theirs() -> None:
    found = reading("ORU^R01", "PID|1||1^^^A", OBR, obx("1"), "PID|2||2^^^A", OBR, obx("2")).content.facts
    assert [(f.patient.id, f.quantity.value) for f in found] == [("1", "1"), ("2", "2")]


def test_times_without_offset_are_of_the_facilitys_zone() -> None:
    feed = Feed({"NORTH": FeedRules(zone=ZoneInfo("Europe/Vienna"))})
    (fact,) = reading("ORU^R01", "PID|1||1", OBR, "OBX|1|NM|1^x^L||1", feed=feed).content.facts
    assert fact.valid_from.ToJsonString() == "2024-02-28T23:00:00Z"


def test_an_unreadable_time_is_remarked_and_no_other_one_is_taken_for_it() -> None:
    found = reading("ORU^R01", "PID|1||1", "OBR|1||F1|x^y^L|||20240229", "OBX|1|NM|1^x^L||1|||||||||yesterday")
    (fact,) = found.content.facts
    assert not fact.HasField("valid_from")
    assert fact.stated_at.ToJsonString() == "2024-03-01T12:00:00Z"
    assert "OBX[1] OBX-14: not a timestamp" in said(found)


def test_the_same_message_gives_the_same_ids_and_another_gives_others() -> None:
    first, second = reading("ORU^R01", PID, OBR, obx("1.4")), reading("ORU^R01", PID, OBR, obx("1.4"))
    other = reading("ORU^R01", PID, OBR, obx("1.5"))
    assert first.event_id == second.event_id != other.event_id
    ids = [[f.fact_id for f in found.content.facts] for found in (first, second, other)]
    assert ids[0] == ids[1]
    assert not set(ids[0]) & set(ids[2])
    assert len(set(ids[0])) == len(ids[0])


def test_warnings_name_places_and_quote_nothing() -> None:
    found = reading("ORU^R01", PID, OBR, obx("SECRETVALUE"), "DG1|1||||SECRETDATE|", "OBX|2|NM||1|SECRETUNIT")
    assert said(found)
    assert not any("SECRET" in warning for warning in said(found))


@pytest.mark.parametrize(("restart", "same"), [(False, True), (True, False)])
def test_order_numbers_that_begin_anew_name_an_order_within_one_visit(*, restart: bool, same: bool) -> None:
    feed = Feed(default=FeedRules(numbers_restart=restart))
    one, other = (
        next(
            fact.identity
            for fact in reading("ORU^R01", PID, f"PV1|1|I{'|' * 17}{visit}", OBR, obx("1.4"), feed=feed).content.facts
            if fact.kind == pb.FACT_KIND_RESULT
        )
        for visit in ("V1", "V2")
    )
    assert (one == other) is same
