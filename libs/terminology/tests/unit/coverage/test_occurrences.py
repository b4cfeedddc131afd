"""Every coded place of FHIR and HL7 v2 is counted once, in whatever form its file has."""

import io
import json
import lzma
import tarfile
from pathlib import Path

import pytest
from terminology.concepts import ACT_CODE, ICD10CM, LOINC, SNOMED
from terminology.coverage import corpus, fhir, hl7
from terminology.coverage.occurrences import Coding, Kind, Occurrence
from terminology.coverage.report import count, table

BUNDLE = {
    "resourceType": "Bundle",
    "entry": [
        {"resource": {"resourceType": "Condition", "code": {"coding": [{"system": SNOMED, "code": "44054006"}]}}},
        {
            "resource": {
                "resourceType": "Observation",
                "code": {"coding": [{"system": LOINC, "code": "85354-9", "display": "Blood pressure"}]},
                "component": [
                    {
                        "code": {"coding": [{"system": LOINC, "code": "8480-6"}]},
                        "valueQuantity": {"value": 120, "unit": "mmHg", "code": "mm[Hg]"},
                    }
                ],
            }
        },
        {
            "resource": {
                "resourceType": "Encounter",
                "class": {"system": ACT_CODE, "code": "AMB"},
                "type": [{"coding": [{"system": SNOMED, "code": "185349003"}]}, {"text": "no code"}],
            }
        },
    ],
}
MESSAGE = (
    "MSH|^~\\&|LAB|NORTH|||20260101||ADT^A01|1|P|2.5.1\r"
    "PV1|1|I\r"
    "DG1|1||E11.9^Type 2 diabetes^I10C^44054006^Diabetes^SCT\r"
    "AL1|1||^penicillin\r"
    "OBX|1|NM|718-7^Hemoglobin^LN||13|g/dL|||||F\r"
    "OBX|2|CWE|1234^Pregnant^L||LA33-6^Yes^LN~LA32-8^No^LN||||||F\r"
    "OBX|3|ST|1235^Remark^L||as^before^||||||F\r"
)


def _kinds(occurrences: list[Occurrence]) -> list[str]:
    return sorted(str(occurrence.kind) for occurrence in occurrences)


def test_coded_places_of_a_bundle() -> None:
    places = list(fhir.occurrences(BUNDLE))
    assert _kinds(places) == ["encounter", "encounter", "observation", "observation", "problem", "unit"]
    assert Occurrence(Kind.UNIT, (Coding("", "mm[Hg]"),)) in places


def test_coded_fields_of_a_message() -> None:
    places = list(hl7.occurrences(MESSAGE))
    assert _kinds(places) == [
        "answer",
        "answer",
        "encounter",
        "observation",
        "observation",
        "observation",
        "problem",
        "unit",
    ]
    (problem,) = [occurrence for occurrence in places if occurrence.kind is Kind.PROBLEM]
    assert [(coding.system, coding.code) for coding in problem.codings] == [(ICD10CM, "E11.9"), (SNOMED, "44054006")]


def test_a_field_without_a_code_or_with_an_empty_one_is_not_coded() -> None:
    assert list(hl7.occurrences('MSH|^~\\&|\rDG1|1||""\rDG1|2||^words only\rDG1|3|\r')) == []


def test_delimiters_are_those_of_the_message() -> None:
    (places,) = hl7.occurrences("MSH|$~\\&|\rDG1|1||E11.9$Diabetes$I10C\r")
    assert places.codings[0] == Coding(ICD10CM, "E11.9", "Diabetes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "a.hl7").write_text(MESSAGE)
    (tmp_path / "plain" / "b.json").write_text(json.dumps(BUNDLE))
    (tmp_path / "plain" / "broken.json").write_text("{")
    (tmp_path / "plain" / "notes.txt").write_text(MESSAGE)
    (tmp_path / "patients.ndjson.xz").write_bytes(lzma.compress(f"{json.dumps(BUNDLE)}\n".encode() * 2))
    with tarfile.open(tmp_path / "pairs.tar.xz", "w:xz") as archive:
        member = tarfile.TarInfo("deep/c.hl7")
        member.size = len(MESSAGE)
        archive.addfile(member, io.BytesIO(MESSAGE.encode()))
    return tmp_path


def test_a_corpus_is_read_plain_compressed_and_archived(folder: Path) -> None:
    by_file: dict[str, int] = {}
    for name, _ in corpus.occurrences(folder):
        by_file[name] = by_file.get(name, 0) + 1
    assert by_file == {"plain/a.hl7": 8, "plain/b.json": 6, "patients.ndjson.xz": 12, "pairs.tar.xz": 8}


def test_a_report_counts_what_is_known_and_lists_what_is_not(folder: Path) -> None:
    places = [occurrence for _, occurrence in corpus.occurrences(folder / "plain")]
    report = count(places, lambda occurrence: occurrence.kind is Kind.PROBLEM)
    assert report.as_json(1) == {
        "n": 14,
        "share": round(2 / 14, 5),
        "kinds": {
            "observation": {"n": 5, "known": 0},
            "answer": {"n": 2, "known": 0},
            "problem": {"n": 2, "known": 2},
            "encounter": {"n": 3, "known": 0},
            "unit": {"n": 2, "known": 0},
        },
        "unknown": report.worst(1),
    }
    assert "problem                2         2   1.0000" in table(report, 1)


def test_nothing_coded_is_nothing_unknown() -> None:
    assert count([], lambda _: False).share == 1.0
