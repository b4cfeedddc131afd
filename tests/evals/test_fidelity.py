"""The comparison with what others read finds what is there, what is missing and what is said beside."""

from typing import Any

from tests.evals.fidelity import Pair, compare

MESSAGE = b"\r".join(
    [
        rb"MSH|^~\&|LAB|NORTH|||20240301120000||ORU^R01|M1|P|2.5.1",
        b"PID|1||42^^^NORTH^MR||Doe^Jo||19600101|F",
        b"OBR|1|P1|F1|CHEM^Chemistry^L|||20240301080000",
        b"OBX|1|NM|2823-3^Potassium^LN||4.1|mmol/L|||||F",
        b"OBX|2|NM|2951-2^Sodium^LN||140|mmol/L|||||F",
        b"",
    ]
)


def observation(code: str, value: float) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "valueQuantity": {"value": value},
    }


def test_the_same_concept_and_number_is_the_same_statement() -> None:
    compared = compare([Pair("m", MESSAGE, [observation("2823-3", 4.1), observation("2951-2", 140.0)])])
    assert (compared.recall["Observation"].hits, compared.recall["Observation"].of) == (2, 2)
    assert (compared.precision["result"].hits, compared.precision["result"].of) == (2, 2)
    assert not compared.lines


def test_another_number_is_missed_and_said_beside() -> None:
    compared = compare([Pair("m", MESSAGE, [observation("2823-3", 4.1), observation("2951-2", 139.0)])])
    assert (compared.recall["Observation"].hits, compared.recall["Observation"].of) == (1, 2)
    assert (compared.precision["result"].hits, compared.precision["result"].of) == (1, 2)
    assert [line.split()[0] for line in compared.lines] == ["missed", "beside"]


def test_a_concept_that_no_fact_names_is_missed() -> None:
    allergy = {"resourceType": "AllergyIntolerance", "code": {"text": "Latex"}}
    compared = compare([Pair("m", MESSAGE, [allergy, {"resourceType": "Procedure"}])])
    assert (compared.recall["AllergyIntolerance"].hits, compared.recall["AllergyIntolerance"].of) == (0, 1)
    # A resource without a concept says nothing that could be missed.
    assert compared.recall["Procedure"].of == 0


def test_a_refused_message_is_told() -> None:
    compared = compare([Pair("m", b"no HL7", [observation("2823-3", 4.1)])])
    assert compared.lines == ["refused    m"]
