"""One concept has one key; code systems are known by all their names."""

import pytest
from terminology import coding_systems
from terminology.concepts import ICD10CM, LOINC, SNOMED, concept, key


def test_a_code_decides_the_key_and_the_display_does_not() -> None:
    assert key(concept(LOINC, "718-7", "Hemoglobin")) == key(concept(LOINC, "718-7", "Hb")) == "http://loinc.org|718-7"


def test_a_concept_without_a_code_is_known_by_its_words() -> None:
    assert key(concept("", "", "  Bee  Venom ")) == key(concept("", "", "bee venom")) == "display|bee venom"


@pytest.mark.parametrize(
    ("name", "uri"),
    [
        ("LN", LOINC),
        ("SNOMED-CT", SNOMED),
        ("urn:oid:2.16.840.1.113883.6.96", SNOMED),
        ("I10C", ICD10CM),
        ("http://loinc.org", LOINC),
        ("HL70007", "http://terminology.hl7.org/CodeSystem/v2-0007"),
        ("HL70292", "http://hl7.org/fhir/sid/cvx"),
        ("1.2.840.114350.1.13.1", "urn:oid:1.2.840.114350.1.13.1"),
        ("L", ""),
        ("", ""),
    ],
)
def test_a_code_system_is_known_by_name_oid_and_uri(name: str, uri: str) -> None:
    assert coding_systems.uri(name) == uri
