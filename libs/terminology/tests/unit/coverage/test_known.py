"""Each kind of code is looked up in the tables of its kind, and the command says what share of a folder they know."""

import json
from pathlib import Path

import pytest
from terminology.concepts import CPT, CVX, LOINC, RXNORM, SNOMED
from terminology.coverage.__main__ import main
from terminology.coverage.known import is_known
from terminology.coverage.occurrences import Coding, Kind, Occurrence


@pytest.mark.parametrize(
    ("kind", "coding"),
    [
        (Kind.OBSERVATION, Coding(LOINC, "2160-0")),
        (Kind.ANSWER, Coding(LOINC, "LA33-6")),
        (Kind.PROBLEM, Coding(SNOMED, "44054006")),
        (Kind.MEDICATION, Coding(RXNORM, "6809", "metformin")),
        (Kind.ALLERGY, Coding(SNOMED, "716186003")),
        (Kind.ALLERGY, Coding(SNOMED, "91936005", "Allergy to penicillin")),
        (Kind.PROCEDURE, Coding(SNOMED, "73761001")),
        (Kind.IMMUNISATION, Coding(CVX, "140")),
        (Kind.ENCOUNTER, Coding(SNOMED, "185349003")),
        (Kind.DOCUMENT, Coding("", "DS")),
        (Kind.UNIT, Coding("", "mg/dL")),
    ],
)
def test_a_code_is_known_as_what_it_is_sent_for(kind: Kind, coding: Coding) -> None:
    assert is_known(Occurrence(kind, (coding,)))


@pytest.mark.parametrize("kind", Kind)
def test_an_unknown_code_is_unknown_as_anything(kind: Kind) -> None:
    assert not is_known(Occurrence(kind, (Coding(CPT, "71045", "?"),)))


def test_one_known_coding_is_enough() -> None:
    assert is_known(Occurrence(Kind.PROBLEM, (Coding("urn:local", "X"), Coding(SNOMED, "44054006"))))


def test_the_command_prints_the_share_and_fails_below_the_one_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.hl7").write_text("MSH|^~\\&|\rDG1|1||44054006^Diabetes^SCT\rDG1|2||99999999^?^SCT\r")
    assert main([str(tmp_path), "--json", "--at-least", "0.5"]) == 0
    assert json.loads(capsys.readouterr().out)["share"] == 0.5
    assert main([str(tmp_path), "--at-least", "0.6"]) == 1
    assert "99999999" in capsys.readouterr().out
