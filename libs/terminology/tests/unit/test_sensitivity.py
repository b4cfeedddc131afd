"""What is sensitive is told by codes, and by nothing else."""

import pytest
from longitude.record.v1.fact_pb2 import CodedConcept
from terminology import icd10cm, sensitivity
from terminology.concepts import ICD9CM, ICD10, ICD10CM, LOINC, RXNORM, SNOMED
from terminology.sensitivity import of_code, of_drug, of_problem


@pytest.mark.parametrize(
    ("system", "code", "labels"),
    [
        (ICD10CM, "F32.9", {"MH"}),
        (ICD10CM, "f20.0", {"MH"}),
        (ICD10CM, "F99", {"MH"}),
        (ICD10CM, "F10.20", {"SUD"}),
        (ICD10CM, "F11.20", {"SUD"}),
        (ICD10CM, "F17.210", set()),
        (ICD10CM, "B20", {"HIV"}),
        (ICD10CM, "Z21", {"HIV"}),
        (ICD10CM, "O98.711", {"HIV", "SEX"}),
        (ICD10CM, "O24.410", {"SEX"}),
        (ICD10CM, "Z34.90", {"SEX"}),
        (ICD10CM, "Z15.01", {"GDIS"}),
        (ICD10CM, "E11.9", set()),
        (ICD10CM, "G40.909", set()),
        (ICD10CM, "N18.3", set()),
        (ICD10, "F32.1", {"MH"}),
        (ICD9CM, "296.20", {"MH"}),
        (ICD9CM, "303.90", {"SUD"}),
        (ICD9CM, "305.1", set()),
        (ICD9CM, "042", {"HIV"}),
        (SNOMED, "86406008", {"HIV"}),
        (SNOMED, "370143000", {"MH"}),
        (SNOMED, "7200002", {"SUD"}),
        (SNOMED, "72892002", {"SEX"}),
    ],
)
def test_a_problem_has_the_labels_of_its_code(system: str, code: str, labels: set[str]) -> None:
    assert of_problem(CodedConcept(system=system, code=code)) == labels


def test_where_there_is_no_code_the_name_of_a_problem_counts() -> None:
    assert of_problem(CodedConcept(system="urn:longitude:local:NORTH:L", code="77", display="Depression")) == {"MH"}
    assert of_problem(CodedConcept(display="Type 2 diabetes mellitus")) == set()


def test_results_procedures_and_drugs_have_those_of_their_own_code_or_class() -> None:
    assert of_code(CodedConcept(system=LOINC, code="56888-1")) == {"HIV"}
    assert of_code(CodedConcept(system=SNOMED, code="31676001")) == {"HIV"}
    assert of_code(CodedConcept(system=LOINC, code="2160-0")) == set()
    assert of_drug(CodedConcept(system=RXNORM, code="190521", display="abacavir")) == {"HIV"}
    assert of_drug(CodedConcept(display="metformin 500 mg tablet")) == set()


def test_each_code_of_a_chapter_has_its_label() -> None:
    chapters = {"F": {"MH", "SUD"}, "O": {"SEX"}}
    for letter, labels in chapters.items():
        for number in range(100):
            category = f"{letter}{number:02}"
            if icd10cm.describe(category) and category != "F17":
                assert of_problem(CodedConcept(system=ICD10CM, code=category)) & labels, category


def test_each_label_has_a_name() -> None:
    assert list(sensitivity.names()) == ["MH", "HIV", "SUD", "GDIS", "SEX"]
