"""What a search asks, what a token's scopes open, and how a patient is named."""

from typing import Any

import pytest
from contracts.errors import DeniedError, InvalidInputError
from gateway.domain.fhir import capability
from gateway.domain.fhir.ids import authority_of, logical_id, patient_of, system_of
from gateway.domain.fhir.issues import ISSUE
from gateway.domain.fhir.queries import CODES, LARGEST_COUNT, NotSupportedError, Place, parsed, place_of
from gateway.domain.fhir.resources import KINDS
from gateway.domain.fhir.scopes import Grant
from hypothesis import given
from hypothesis import strategies as st
from longitude.record.v1.fact_pb2 import PatientKey

WHOM = ("patient", "Patient/7.NORTH")
LOINC = "http://loinc.org"


def matches(resource: dict[str, Any], *parameters: tuple[str, str], kind: str = "Observation") -> bool:
    return all(one(resource) for one in parsed(kind, [WHOM, *parameters]).filters)


@given(st.text(min_size=1), st.text())
def test_a_logical_id_is_read_back_as_the_number_it_was_made_from(number: str, authority: str) -> None:
    key = PatientKey(id=number, authority=authority)
    if made := logical_id(key):
        assert patient_of(made) == key
        assert len(made) <= 64
    assert authority_of(system_of(authority)) == authority


@pytest.mark.parametrize("name", ["", ".", "7", ".NORTH", "7.NORTH.2", "7-2.N", "7-ff.N", "7/..", "7-4A.N", "7-41.N"])
def test_what_is_no_logical_id_of_ours_names_nobody(name: str) -> None:
    assert patient_of(name) is None


def test_a_code_is_found_with_its_system_and_without_and_with_others() -> None:
    told = {"code": {"coding": [{"system": LOINC, "code": "2160-0"}, {"code": "CREA"}]}}
    assert matches(told, ("code", "2160-0"))
    assert matches(told, ("code", f"{LOINC}|2160-0"))
    assert matches(told, ("code", f"x|1,{LOINC}|"))
    assert matches(told, ("code", "|CREA"))
    assert not matches(told, ("code", "|2160-0"))
    assert not matches(told, ("code", "http://snomed.info/sct|2160-0"))
    assert not matches(told, ("code", "2160-0"), ("code", "718-7"))
    assert not matches({}, ("code", "2160-0"))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01", True),
        ("2026-03", True),
        ("2026", True),
        ("2026-03-02", False),
        ("ne2026-03-01", False),
        ("gt2026-02", True),
        ("gt2026-03", False),
        ("ge2026-03-01T10:00:00Z", True),
        ("ge2026-03-01T10:00:01Z", False),
        ("lt2026-03-01T10:00:00Z", False),
        ("le2026-03-01T12:00:00+02:00", True),
        ("2026-03-01T10:00", True),
        ("2025,2026", True),
    ],
)
def test_a_time_is_compared_as_fhir_says(value: str, *, expected: bool) -> None:
    assert matches({"effectiveDateTime": "2026-03-01T10:00:00.000Z"}, ("date", value)) is expected


def test_a_period_that_goes_on_lies_after_every_day_that_is_past() -> None:
    visit = {"period": {"start": "2026-03-01T10:00:00.000Z"}}
    assert matches(visit, ("date", "ge2030-01-01"), kind="Encounter")
    assert not matches(visit, ("date", "lt2026-01-01"), kind="Encounter")
    assert not matches({}, ("date", "ge2030-01-01"), kind="Encounter")


def test_what_is_referred_to_is_searched_by() -> None:
    told = {"implicated": [{"reference": "MedicationRequest/1"}, {"identifier": {"value": "2"}}]}
    assert matches(told, ("implicated", "x/1,MedicationRequest/1"), kind=ISSUE)
    assert not matches(told, ("implicated", "MedicationRequest/2"), kind=ISSUE)
    assert not matches({}, ("implicated", "MedicationRequest/1"), kind=ISSUE)
    with pytest.raises(NotSupportedError):
        parsed(ISSUE, [WHOM, ("_revinclude", "Provenance:target")])


@pytest.mark.parametrize(
    "parameter",
    [
        "_summary",
        "_sort",
        "_total",
        "code:text",
        "subject",
        "patient.identifier",
        "value-quantity",
        "_include",
        "x" * 999,
    ],
)
def test_a_parameter_that_is_not_known_is_refused_by_its_name(parameter: str) -> None:
    with pytest.raises(NotSupportedError, match=f"{parameter[:64]} of Observation"):
        parsed("Observation", [WHOM, (parameter, "1")])


@pytest.mark.parametrize(
    "parameters",
    [
        [],
        [("patient", "7")],
        [WHOM, WHOM],
        [WHOM, ("_count", "0")],
        [WHOM, ("_count", "-1")],
        [WHOM, ("_count", "x")],
        [WHOM, ("_page", "x")],
        [WHOM, ("_page", "1.2.\N{SNOWMAN}")],
        [WHOM, ("date", "yesterday")],
        [WHOM, ("date", "2026-13-01")],
        [WHOM, ("date", "sa2026")],
        [WHOM, ("date", "2026-02-30")],
        [WHOM, ("date", "9999-12-31")],
        [WHOM, ("code", "|")],
        [WHOM, ("code", "1," * 200)],
        [WHOM, ("date", ",".join(["2026"] * 200))],
        [WHOM, ("_revinclude", "Observation:subject")],
        [("_id", ",".join(map(str, range(99))))],
        [WHOM, *[("code", "1")] * 60],
    ],
)
def test_what_cannot_be_read_is_refused(parameters: list[tuple[str, str]]) -> None:
    with pytest.raises(InvalidInputError):
        parsed("Observation", parameters)


def test_a_page_is_never_larger_than_the_largest_and_its_place_is_read_back() -> None:
    asked = parsed("Condition", [WHOM, ("_count", "999999")])
    assert asked.count == LARGEST_COUNT
    for place in (Place("abc_-=", 1_700_000_000_000_000, 17), Place("abc_-=", of_issues=True), Place()):
        assert place_of(str(place)) == place


def grant(*scopes: str, patient: str = "") -> Grant:
    return Grant.of(scopes, patient)


def test_a_token_without_scopes_of_smart_is_not_narrowed() -> None:
    assert grant("openid", "profile").opens("Observation", "s", ["7.NORTH"])


@pytest.mark.parametrize(
    ("scope", "kind", "right", "expected"),
    [
        ("user/*.read", "Condition", "r", True),
        ("user/Observation.rs", "Observation", "s", True),
        ("user/Observation.r", "Observation", "s", False),
        ("user/Observation.rs", "Condition", "s", False),
        ("user/Observation.write", "Observation", "r", False),
        ("user/Observation.cud", "Observation", "r", False),
        ("user/Observation.*", "Observation", "r", True),
        # It means less than could be held to.
        ("user/Observation.rs?category=laboratory", "Observation", "s", False),
        ("patient/*.read", "Observation", "s", False),
    ],
)
def test_scopes_open_what_they_name_and_nothing_else(scope: str, kind: str, right: str, *, expected: bool) -> None:
    assert grant(scope).opens(kind, right, ["7.NORTH"]) is expected


def test_a_scope_of_a_patient_opens_the_patient_that_the_token_names() -> None:
    given_ = grant("patient/*.rs", patient="7.NORTH")
    assert given_.opens("Observation", "s", ["7.NORTH"])
    with pytest.raises(DeniedError):
        given_.check("Observation", "s", ["8.NORTH"])
    # A patient whose number makes no id is nobody's patient in context.
    assert not grant("patient/*.rs").opens("Observation", "s", [""])


def test_the_capability_statement_names_every_type_that_is_made_and_no_other() -> None:
    (rest,) = capability.statement("https://x")["rest"]
    named = {each["type"] for each in rest["resource"]}
    assert named == {*KINDS, ISSUE, "Patient", "Binary"} == {*CODES, "Patient", "Binary"}
