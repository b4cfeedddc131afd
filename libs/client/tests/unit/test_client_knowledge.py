"""`longitude knowledge` checks a file of rows and says what no row is about."""

import json
from pathlib import Path

import pytest
from client.cli.command import main

ROW = """[[source]]
key = "our-pharmacy"
title = "Pharmacy committee"
year = 2026
kind = "guideline"

[[row]]
family = "interactions"
id = "cetirizine-alcohol-swab"
version = 1
drugs = "cetirizine"
beside = "digoxin"
urgency = "routine"
words = "Our pharmacy asks to be called about these two."
source = "our-pharmacy"
section = "decision 7"
speaks = {drugs = ["cetirizine", "digoxin"]}
silent = {drugs = ["cetirizine"]}
"""


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(["knowledge", *arguments])
    told = capsys.readouterr()
    return int(left.value.code or 0), told.out, told.err


def test_a_good_file_is_right(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hospital.toml"
    file.write_text(ROW, encoding="utf-8")
    code, out, _ = command(capsys, "check", str(file))
    assert (code, out.split()) == (0, ["1", "rows", "added", "or", "replaced,", "0", "silenced,", "0", "wrong"])


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('"digoxin"\nurgency', '"digoxine"\nurgency', 12, "digoxine"),
        ('silent = {drugs = ["cetirizine"]}', 'silent = {drugs = ["cetirizine", "digoxin"]}', 7, "speaks for"),
        ('speaks = {drugs = ["cetirizine", "digoxin"]}', 'speaks = {drugs = ["digoxin"]}', 7, "does not speak for"),
    ],
)
def test_what_is_wrong_is_named_with_file_and_line(
    old: str, new: str, line: int, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hospital.toml"
    file.write_text(ROW.replace(old, new), encoding="utf-8")
    code, out, _ = command(capsys, "check", str(file), "--json")
    (wrong,) = json.loads(out)["wrong"]
    assert code == 1
    assert wrong.startswith(f"hospital.toml:{line}: ")
    assert words in wrong


def test_a_file_that_is_not_there_is_said_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = command(capsys, "check", "nowhere.toml")
    assert (code, out) == (1, "")
    assert "nowhere.toml: No such file" in err


def test_coverage_of_a_corpus_names_first_what_no_row_is_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rxnorm, icd = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://hl7.org/fhir/sid/icd-10-cm"
    drug = {"coding": [{"system": rxnorm, "code": "11289", "display": "warfarin"}]}
    splinter = {"coding": [{"system": icd, "code": "S60.459A", "display": "Superficial foreign body of finger"}]}
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": {"resourceType": "MedicationRequest", "medicationCodeableConcept": drug}},
            {"resource": {"resourceType": "Condition", "code": splinter}},
        ],
    }
    (tmp_path / "patient.json").write_text(json.dumps(bundle), encoding="utf-8")
    code, out, _ = command(capsys, "coverage", "--corpus", str(tmp_path), "--json")
    first, second = json.loads(out)
    assert code == 1
    assert (first["kind"], first["rows"]) == ("problem", [])
    assert second["name"] == "warfarin"
    assert "interactions/warfarin-nsaid@1" in second["rows"]


def test_a_corpus_that_is_no_json_is_refused_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "patients.ndjson").write_text('{"resourceType": "Patient"}\n{', encoding="utf-8")
    code, _, err = command(capsys, "coverage", "--corpus", str(tmp_path))
    assert code == 1
    assert "patients.ndjson:2: no JSON" in err


def test_rows_that_drifted_are_named_and_their_command_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(capsys, "drift", "--json")[:2] == (0, "[]\n")
    file = tmp_path / "hospital.toml"
    file.write_text(ROW.replace("section =", "until = 2020-12-31\nsection ="), encoding="utf-8")
    code, out, _ = command(capsys, "drift", "--overlay", str(file), "--json")
    assert code == 1
    assert json.loads(out) == [
        {"row": "interactions/cetirizine-alcohol-swab@1", "reason": "the row held until 2020-12-31"}
    ]
