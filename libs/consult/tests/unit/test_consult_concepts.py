"""What facts are about: one thing has one key, however it was coded and called."""

import pytest
from consult import concepts
from longitude.record.v1.fact_pb2 import (
    ASSERTION_ABSENT,
    FACT_KIND_ALLERGY,
    FACT_KIND_MEDICATION,
    FACT_KIND_RESULT,
    ClinicalFact,
    CodedConcept,
    FactKind,
)
from terminology.concepts import LOINC, RXNORM, SNOMED


def fact(kind: "FactKind.ValueType", system: str, code: str, display: str = "") -> ClinicalFact:
    return ClinicalFact(kind=kind, code=CodedConcept(system=system, code=code, display=display))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (fact(FACT_KIND_MEDICATION, RXNORM, "6809"), fact(FACT_KIND_MEDICATION, "", "", "GLUCOPHAGE 500 MG TAB")),
        (fact(FACT_KIND_MEDICATION, RXNORM, "10831"), fact(FACT_KIND_MEDICATION, "", "", "Bactrim DS")),
        (fact(FACT_KIND_ALLERGY, SNOMED, "764146007"), fact(FACT_KIND_ALLERGY, "", "", "PCN")),
        (fact(FACT_KIND_RESULT, LOINC, "2160-0"), fact(FACT_KIND_RESULT, LOINC, "14682-9")),
    ],
)
def test_one_thing_has_one_key(one: ClinicalFact, other: ClinicalFact) -> None:
    assert concepts.key(one) == concepts.key(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (fact(FACT_KIND_MEDICATION, "", "", "Janumet"), fact(FACT_KIND_MEDICATION, RXNORM, "6809")),
        (fact(FACT_KIND_ALLERGY, "", "", "penicillin"), fact(FACT_KIND_ALLERGY, "", "", "amoxicillin")),
        (fact(FACT_KIND_RESULT, LOINC, "2160-0"), fact(FACT_KIND_RESULT, LOINC, "2161-8")),
        (fact(FACT_KIND_RESULT, "LAB", "XQ1"), fact(FACT_KIND_RESULT, "LAB", "XQ2")),
    ],
)
def test_two_things_have_two(one: ClinicalFact, other: ClinicalFact) -> None:
    assert concepts.key(one) != concepts.key(other)


def test_evidence_about_an_ingredient_is_found_for_its_brand_and_for_each_part_of_a_combination() -> None:
    assert f"{RXNORM}|6809" in concepts.codes(fact(FACT_KIND_MEDICATION, "", "", "Glucophage"))
    assert {f"{RXNORM}|6809", f"{RXNORM}|593411"} <= {*concepts.codes(fact(FACT_KIND_MEDICATION, "", "", "Janumet"))}


@pytest.mark.parametrize(
    ("code", "denied"), [("716186003", "allergy"), ("409137002", "drug-allergy"), ("91936005", "")]
)
def test_a_denial_says_which_allergies_it_denies(code: str, denied: str) -> None:
    stated = fact(FACT_KIND_ALLERGY, SNOMED, code)
    stated.assertion = ASSERTION_ABSENT
    assert concepts.denied(stated) == denied
