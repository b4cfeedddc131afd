"""Each statement of a record as FHIR R4: valid, and never more than what was stated."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from gateway.domain.fhir import elements, resources
from gateway.domain.fhir.elements import written
from gateway.domain.fhir.ids import logical_id
from gateway.domain.fhir.patients import patient
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1 import fact_pb2 as pb
from longitude.record.v1.context_pb2 import RecordedFact
from practice.charts import chart
from practice.records import PATIENT, RecordBuilder, stamp
from terminology import absence
from terminology.absence import Meaning
from terminology.concepts import ACT_CODE, CVX, LOINC, RXNORM, SNOMED, concept
from terminology.loinc import BIRTH_DATE, DEATH, FAMILY_HISTORY, SEX

NOW = datetime(2026, 6, 1, tzinfo=UTC)
PENICILLIN = concept(RXNORM, "7980", "penicillin G")


def valid(resource: dict[str, Any]) -> dict[str, Any]:
    """As it leaves, read by a library of others; in FHIR R4's form."""
    sent = json.loads(written(resource), parse_float=Decimal)
    get_fhir_model_class(resource["resourceType"]).model_validate(sent)
    return dict(sent)


def recorded(fact: pb.ClinicalFact) -> RecordedFact:
    built = RecordBuilder()
    built.add(fact)
    return built.facts[0]


def made(**content: Any) -> dict[str, Any]:
    fact = recorded(pb.ClinicalFact(**content))
    assert resources.left_out(fact.fact) == ""
    resource = resources.resource(fact, NOW)
    assert resource is not None
    valid(resources.provenance(fact, resource))
    return valid(resource)


def why_not(**content: Any) -> str:
    return resources.left_out(recorded(pb.ClinicalFact(**content)).fact)


# What strangers send: any characters that a protobuf text may hold, and what looks like a value.
texts = st.one_of(
    st.sampled_from(["", " ", "5", "-0", "1.50", ".5", "1e3", "NaN", "Infinity", "H", "mg/dL", "two  spaces", "12:5"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12),
)
concepts = st.builds(
    pb.CodedConcept,
    system=st.sampled_from(["", LOINC, SNOMED, "urn:longitude:local:LAB:a b"]),
    code=texts,
    display=texts,
)
quantities = st.builds(pb.Quantity, value=texts, unit=texts, comparator=st.sampled_from(["", "<", ">="]))
moments = st.builds(Timestamp, seconds=st.integers(-62_000_000_000, 250_000_000_000), nanos=st.integers(0, 999_999_999))
maybe = st.none() | moments
dosages = st.builds(
    pb.Dosage,
    dose=st.none() | quantities,
    dose_high=st.none() | quantities,
    route=texts,
    frequency=texts,
    instruction=texts,
    valid_from=maybe,
    valid_to=maybe,
)
values = st.one_of(
    st.just({}),
    st.builds(lambda value: {"quantity": value}, quantities),
    st.builds(lambda value: {"text": value}, texts),
    st.builds(lambda value: {"coded": value}, concepts),
)
facts = st.builds(
    lambda value, **content: pb.ClinicalFact(**value, **content),
    values,
    fact_id=st.uuids().map(str),
    kind=st.sampled_from([kind for kind in pb.FactKind.values() if kind]),
    patient=st.builds(pb.PatientKey, id=st.text(min_size=1, max_size=20), authority=st.text(max_size=20)),
    code=concepts,
    source_code=st.none() | concepts,
    source_quantity=st.none() | quantities,
    valid_from=maybe,
    valid_to=maybe,
    stated_at=maybe,
    status=st.sampled_from(pb.FactStatus.values()),
    assertion=st.sampled_from(pb.Assertion.values()),
    provenance=st.sampled_from(pb.Provenance.values()),
    reference_range=st.none() | st.builds(pb.ReferenceRange, low=texts, high=texts, text=texts),
    abnormal_flag=texts,
    dosage=st.none() | dosages,
    further_dosages=st.lists(dosages, max_size=2),
    encounter_id=texts,
    note=texts,
    comments=st.lists(texts, max_size=2),
    severity=st.none() | concepts,
    about=st.none() | concepts,
    source=st.builds(
        pb.SourcePointer,
        event_id=st.just("") | st.uuids().map(str),
        control_id=texts,
        segment=st.sampled_from(["", "OBX[1]", "PRB[1]", "DG1[2]", "RXA[1]", "RXD[1]", "RXE[1]", "OBR[1]", "PR1[1]"]),
        field=texts,
        document_id=texts,
    ),
)  # fmt: skip


@given(facts, moments)
def test_every_statement_is_a_valid_resource_or_is_left_out_with_a_reason(fact: pb.ClinicalFact, at: Timestamp) -> None:
    whole = RecordedFact(fact=fact, recorded_at=at)
    if resources.left_out(fact):
        return
    resource = resources.resource(whole, NOW)
    valid(resources.provenance(whole, resource))
    assert (resource is None) == (fact.kind == pb.FACT_KIND_DEMOGRAPHIC)
    if resource is not None:
        assert fact.kind in resources.KINDS[valid(resource)["resourceType"]]
    elif logical_id(fact.patient):
        valid(patient(fact.patient, [], [whole]))


@given(facts)
def test_what_is_denied_withdrawn_or_of_a_relative_is_no_statement_of_the_patient(fact: pb.ClinicalFact) -> None:
    is_wrong = (
        fact.status == pb.FACT_STATUS_ENTERED_IN_ERROR
        or fact.code.code == FAMILY_HISTORY
        or (fact.assertion == pb.ASSERTION_ABSENT and fact.kind != pb.FACT_KIND_IMMUNIZATION)
    )
    # A code for `none` says so itself.
    if is_wrong and absence.of(fact.code) is None:
        assert resources.left_out(fact)


@pytest.mark.parametrize("seed", range(3))
def test_a_chart_of_years_is_told_whole(seed: int) -> None:
    for each in chart(seed).facts:
        assert resources.left_out(each.fact) in {"", "denied", "of a relative"}
        if not resources.left_out(each.fact) and (resource := resources.resource(each, NOW)):
            valid(resource)


def test_a_result_keeps_its_digits_its_unit_and_what_was_sent_before() -> None:
    told = made(
        kind=pb.FACT_KIND_RESULT,
        code=concept(LOINC, "2160-0", "Creatinine"),
        source_code=concept("urn:longitude:local:LAB:L 1", "CREA", "Kreatinin"),
        quantity=pb.Quantity(value="1.50", unit="mg/dL", comparator="<"),
        source_quantity=pb.Quantity(value="132.6", unit="umol/L"),
        status=pb.FACT_STATUS_CORRECTED,
        abnormal_flag="H",
        reference_range=pb.ReferenceRange(low="0.6", high="1.20"),
        valid_from=stamp("2026-01-02"),
        comments=["haemolysed"],
    )
    value = told["valueQuantity"]
    assert (str(value["value"]), value["comparator"], value["code"]) == ("1.50", "<", "mg/dL")
    assert value["extension"][0]["valueQuantity"]["value"] == Decimal("132.6")
    assert told["status"] == "corrected"
    assert told["effectiveDateTime"] == "2026-01-02T12:00:00.000Z"
    assert [each["code"] for each in told["code"]["coding"]] == ["2160-0", "CREA"]
    assert told["code"]["coding"][1]["system"] == "urn:longitude:local:LAB:L%201"
    assert told["code"]["text"] == "Kreatinin"
    assert str(told["referenceRange"][0]["high"]["value"]) == "1.20"
    assert told["category"][0]["coding"][0]["code"] == "laboratory"
    assert told["note"] == [{"text": "haemolysed"}]


def test_a_time_that_nobody_stated_is_not_there() -> None:
    told = made(kind=pb.FACT_KIND_RESULT, code=concept(LOINC, "2160-0"), quantity=pb.Quantity(value="1"))
    assert "effectiveDateTime" not in told
    assert told["status"] == "unknown"
    given_ = made(kind=pb.FACT_KIND_IMMUNIZATION, code=concept(CVX, "140"), status=pb.FACT_STATUS_FINAL)
    assert given_["occurrenceString"] == "unknown"


@pytest.mark.parametrize(
    ("status", "clinical", "verification"),
    [
        (pb.FACT_STATUS_ACTIVE, "active", None),
        (pb.FACT_STATUS_ENDED, "inactive", None),
        (pb.FACT_STATUS_PRELIMINARY, None, "unconfirmed"),
        (pb.FACT_STATUS_UNSPECIFIED, None, None),
    ],
)
def test_a_problem_has_the_state_that_was_stated(status: Any, clinical: str | None, verification: str | None) -> None:
    told = made(kind=pb.FACT_KIND_PROBLEM, code=concept(SNOMED, "38341003", "Hypertension"), status=status)
    assert _code(told.get("clinicalStatus")) == clinical
    assert _code(told.get("verificationStatus")) == verification


def _code(element: dict[str, Any] | None) -> str | None:
    return element["coding"][0]["code"] if element else None


def test_a_family_history_is_no_condition_and_no_observation_of_the_patient() -> None:
    mother = {"coded": concept(SNOMED, "254837009", "Breast cancer"), "note": "mother"}
    assert why_not(kind=pb.FACT_KIND_RESULT, code=concept(LOINC, FAMILY_HISTORY), **mother) == "of a relative"


def test_a_denied_allergy_is_left_out_and_a_code_for_none_is_told() -> None:
    denied: dict[str, Any] = {"kind": pb.FACT_KIND_ALLERGY, "assertion": pb.ASSERTION_ABSENT}
    assert why_not(code=PENICILLIN, **denied) == "denied"
    none = absence.concept_of(Meaning.NONE, "allergy")
    assert none is not None
    assert made(code=none, **denied)["code"]["coding"][0]["code"] == none.code


def test_an_order_is_a_request_a_dose_is_none_and_a_letter_is_a_statement() -> None:
    drug: dict[str, Any] = {"kind": pb.FACT_KIND_MEDICATION, "code": PENICILLIN}
    of = {
        segment: made(**drug, status=pb.FACT_STATUS_ENDED, source=pb.SourcePointer(segment=segment))["resourceType"]
        for segment in ("RXE[1]", "RXD[1]", "RXA[1]")
    }
    assert list(of.values()) == ["MedicationRequest", "MedicationDispense", "MedicationAdministration"]
    letter = made(**drug, status=pb.FACT_STATUS_ENDED, provenance=pb.PROVENANCE_READ_FROM_TEXT)
    assert (letter["resourceType"], letter["status"]) == ("MedicationStatement", "stopped")
    assert letter["note"][0]["text"] == "read from the text of a document by rules"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        ({"status": pb.FACT_STATUS_ACTIVE}, "active"),
        ({"status": pb.FACT_STATUS_ACTIVE, "valid_to": stamp("2026-05-31")}, "unknown"),
        ({"status": pb.FACT_STATUS_ACTIVE, "valid_to": stamp("2026-07-01")}, "active"),
        ({"status": pb.FACT_STATUS_ORDERED}, "active"),
        ({"status": pb.FACT_STATUS_ENDED}, "stopped"),
        ({"status": pb.FACT_STATUS_ENDED, "note": "on hold"}, "on-hold"),
        ({"status": pb.FACT_STATUS_UNSPECIFIED}, "unknown"),
    ],
)
def test_an_order_of_a_drug_is_active_only_while_it_is(content: dict[str, Any], status: str) -> None:
    assert made(kind=pb.FACT_KIND_MEDICATION, code=PENICILLIN, **content)["status"] == status


def test_the_doses_of_a_taper_have_their_own_times() -> None:
    doses = [
        pb.Dosage(dose=pb.Quantity(value=value, unit="mg"), valid_from=stamp(day), route="PO", frequency="QD")
        for value, day in (("40", "2026-01-01"), ("20.0", "2026-01-08"))
    ]
    told = made(kind=pb.FACT_KIND_MEDICATION, code=PENICILLIN, dosage=doses[0], further_dosages=doses[1:])
    first, second = told["dosageInstruction"]
    assert first["doseAndRate"][0]["doseQuantity"]["value"] == 40
    assert str(second["doseAndRate"][0]["doseQuantity"]["value"]) == "20.0"
    assert second["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-01-08T12:00:00.000Z"}


def test_what_was_asked_for_is_no_procedure() -> None:
    content: dict[str, Any] = {"kind": pb.FACT_KIND_PROCEDURE, "code": concept(SNOMED, "73761001", "Colonoscopy")}
    asked = made(**content, status=pb.FACT_STATUS_ORDERED, source=pb.SourcePointer(segment="OBR[1]"))
    assert (asked["resourceType"], asked["status"]) == ("ServiceRequest", "active")
    # The end of an order says nothing of whether it was carried out.
    ended = made(**content, status=pb.FACT_STATUS_ENDED, source=pb.SourcePointer(segment="OBR[1]"))
    assert (ended["resourceType"], ended["status"]) == ("ServiceRequest", "unknown")
    done = made(**content, status=pb.FACT_STATUS_FINAL, source=pb.SourcePointer(segment="PR1[1]"))
    assert (done["resourceType"], done["status"]) == ("Procedure", "completed")


def test_a_vaccination_that_was_not_done_says_so() -> None:
    refused = made(
        kind=pb.FACT_KIND_IMMUNIZATION, code=concept(CVX, "140"), assertion=pb.ASSERTION_ABSENT, note="refused"
    )
    assert (refused["status"], refused["statusReason"]) == ("not-done", {"text": "refused"})


def test_a_visit_of_no_known_class_says_that_it_is_not_known() -> None:
    told = made(kind=pb.FACT_KIND_ENCOUNTER, status=pb.FACT_STATUS_ACTIVE, encounter_id="V7")
    assert told["class"] == elements.UNKNOWN
    assert told["identifier"] == [{"value": "V7"}]
    assert "end" not in told.get("period", {})
    known = made(kind=pb.FACT_KIND_ENCOUNTER, code=concept(ACT_CODE, "IMP", "inpatient"), status=pb.FACT_STATUS_ENDED)
    assert (known["class"]["code"], known["status"]) == ("IMP", "finished")


def test_a_finding_of_a_network_says_so_and_is_preliminary() -> None:
    told = made(
        kind=pb.FACT_KIND_IMAGING_FINDING,
        code=concept("urn:longitude:finding", "lung-opacity", "Lung opacity"),
        status=pb.FACT_STATUS_PRELIMINARY,
        provenance=pb.PROVENANCE_COMPUTED_FROM_IMAGE,
    )
    assert told["status"] == "preliminary"
    assert told["method"]["text"] == "computed from an image by a network"


def test_provenance_names_message_and_field() -> None:
    fact = recorded(pb.ClinicalFact(kind=pb.FACT_KIND_ALLERGY, code=PENICILLIN))
    told = valid(resources.provenance(fact, resources.resource(fact, NOW)))
    assert told["target"] == [{"reference": f"AllergyIntolerance/{fact.fact.fact_id}"}]
    message = next(
        each["what"]
        for each in told["entity"]
        if each["what"]["identifier"]["system"] == "urn:longitude:message-control-id"
    )
    assert (message["identifier"]["value"], message["display"]) == ("MSG0001", "OBX[1]; OBX-5")


def demographic(code: str, patient_: pb.PatientKey = PATIENT, **content: Any) -> RecordedFact:
    kind = pb.FACT_KIND_DEMOGRAPHIC
    return recorded(pb.ClinicalFact(kind=kind, code=concept(LOINC, code), patient=patient_, **content))


def test_a_patient_is_what_was_stated_under_the_own_number() -> None:
    other = pb.PatientKey(id="88", authority="LAKE")
    stated = [
        demographic(BIRTH_DATE, text="1957-04"),
        demographic(SEX, coded=concept("", "female")),
        demographic(BIRTH_DATE, other, text="1958"),
    ]
    told = valid(patient(PATIENT, [PATIENT, other], stated))
    assert (told["birthDate"], told["gender"]) == ("1957-04", "female")
    assert told["identifier"] == [{"system": "urn:longitude:authority:NORTHWEST", "value": "NW-1"}]
    assert told["link"] == [{"other": {"reference": "Patient/88.LAKE"}, "type": "seealso"}]
    assert "deceasedBoolean" not in told
    dead = valid(patient(PATIENT, [], [demographic(DEATH)]))
    assert dead["deceasedBoolean"] is True


def test_of_two_birth_dates_under_one_number_none_is_chosen() -> None:
    stated = [demographic(BIRTH_DATE, text="1957-04-18"), demographic(BIRTH_DATE, text="1975-04-18")]
    assert "birthDate" not in valid(patient(PATIENT, [], stated))
